# Makes a PostgreSQL cluster in a folder and starts it whenever "start" comes in.
# When standard input ends, which is when the test program does, however it
# does, the server is stopped and the folder removed.
dir=$1 bin=$2
shift 2
umask 077
exec >"$dir/log" 2>&1
# A language's rules as the default order show a column that forgot to ask for
# the order of bytes.
"$bin/initdb" -D "$dir/data" -U postgres --auth=trust --encoding=UTF8 --no-sync --no-instructions \
	--locale=C.UTF-8 --locale-provider=icu --icu-locale=en >/dev/null || exit 1
for line in "$@"; do echo "${line%%=*} = '${line#*=}'"; done >>"$dir/data/postgresql.conf"
pid=
while read -r what; do
	[ "$what" = start ] || continue
	[ -z "$pid" ] || wait "$pid"
	"$bin/postgres" -D "$dir/data" </dev/null &
	pid=$!
done
if [ -n "$pid" ]; then
	kill -INT "$pid"
	wait "$pid"
fi
rm -rf "$dir"
