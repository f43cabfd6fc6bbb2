// Command onrecord is an Admin Portal for call-center teams in which everything
// an Admin does is on the record. Its commands are described by --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // --time-zone works where the system knows no zones

	"github.com/alecthomas/kong"

	"onrecord/audit"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// The exit statuses. Scripts rely on them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// commands is the command line: one file each.
type commands struct {
	Demo  demoCommand  `cmd:"" help:"Serve a made-up call center with 90 days of history."`
	Serve serveCommand `cmd:"" help:"Serve the Admin Portal."`
	Setup setupCommand `cmd:"" help:"Make the first team with its Admin, add a team, or change a team's plan."`
	Users struct {
		Link usersLinkCommand `cmd:"" help:"Make a one-time sign-in link for a member of a team."`
	} `cmd:"" help:"Members of a team."`
	Calls struct {
		Import callsImportCommand `cmd:"" help:"Import calls with their transcripts."`
	} `cmd:"" help:"Calls of a team."`
	Events struct {
		Search eventsSearchCommand `cmd:"" help:"Search a team's audit log."`
		Export eventsExportCommand `cmd:"" help:"Export a team's audit log."`
	} `cmd:"" help:"Events of a team's audit log."`
	Keys struct {
		Create keysCreateCommand `cmd:"" help:"Make an API key; it is shown once."`
		List   keysListCommand   `cmd:"" help:"List the API keys of a team."`
		Revoke keysRevokeCommand `cmd:"" help:"End an API key at once."`

		Signing keysSigningCommand `cmd:"" help:"Show, make or retire the keys that sign checkpoints of the logs."`
	} `cmd:"" help:"API keys of a team, and the keys that sign the logs."`
	Verify  verifyCommand  `cmd:"" help:"Prove, without a database, that an export is a true copy of the log."`
	Witness witnessCommand `cmd:"" help:"Be an independent witness of the growth of logs."`
	Migrate migrateCommand `cmd:"" help:"Bring a database's schema up to date."`
	Copy    copyCommand    `cmd:"" help:"Move everything from SQLite to PostgreSQL."`
	Backup  backupCommand  `cmd:"" help:"Copy the SQLite file while it is in use."`
	Bench   benchCommand   `cmd:"" help:"Measure what being on the record costs, as ratios."`
	Version versionCommand `cmd:"" help:"Show the version of the program and of its schemas."`
}

const description = `The Admin Portal for call-center teams in which everything an Admin does is on the record.

Begin with "onrecord demo", or with a portal of your own:

    onrecord setup --team "Support" --admin dana@example.com
    onrecord serve

Every flag can also be set in the environment, as ONRECORD_ and its name: ONRECORD_DB for --db. Exit status: 0 done, 1 failed, 2 wrong use.`

// console is where a command reads and writes: results go to out, text for
// people to err.
type console struct {
	in       io.Reader
	out, err io.Writer
	env      environment
}

// say writes a sentence for people.
func (c *console) say(format string, args ...any) { fmt.Fprintf(c.err, format+"\n", args...) }

// run is the whole program. It returns the exit status.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	c := &console{in: stdin, out: stdout, err: stderr, env: environment{values: onrecordVariables(environ)}}
	chosen, helped, err := c.parse(args)
	switch {
	case helped:
		return exitDone
	case err != nil:
		return c.wrongUse(err)
	}
	chosen.BindTo(ctx, (*context.Context)(nil))
	return c.report(chosen.Run(c))
}

// parse reads the command line and the environment. helped tells that the help
// was asked for and shown.
func (c *console) parse(args []string) (chosen *kong.Context, helped bool, err error) {
	var cli commands
	parser, err := kong.New(&cli,
		kong.Name("onrecord"), kong.Description(description),
		kong.Writers(c.out, c.err),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100}),
		kong.ValueFormatter(helpWithVariable),
		kong.Resolvers(&c.env),
	)
	if err != nil {
		return nil, false, fmt.Errorf("building the command line: %w", err)
	}
	if err := c.env.learn(parser.Model); err != nil {
		return nil, false, err
	}
	if len(args) == 0 {
		args = []string{"--help"}
		parser.Stdout = c.err
		defer func() { helped, err = false, errNoCommand }()
	}
	chosen, err = parser.Parse(args)
	if helped {
		return nil, true, nil
	}
	for _, unknown := range c.env.unknown() {
		c.say("Warning: the environment variable %s is not known and was not used.", unknown)
	}
	return chosen, false, err
}

// errNoCommand answers a call without any word; the help was shown already.
var errNoCommand = errors.New("")

func (c *console) wrongUse(err error) int {
	if errors.Is(err, errNoCommand) {
		return exitUsage
	}
	help := "onrecord --help"
	if p, ok := errors.AsType[*kong.ParseError](err); ok && p.Context != nil {
		if path := p.Context.Command(); path != "" {
			help = "onrecord " + commandWords(path) + " --help"
		}
	}
	c.say("onrecord: %s\n\n%q explains how to use it.", c.env.explain(err), help)
	return exitUsage
}

// commandWords drops the arguments from "calls import <file>".
func commandWords(path string) string {
	words := strings.Fields(path)
	for i, w := range words {
		if strings.HasPrefix(w, "<") {
			return strings.Join(words[:i], " ")
		}
	}
	return path
}

// errTold ends a command that failed and has said why already.
var errTold = errors.New("the command failed")

// report says what went wrong and gives the exit status for it.
func (c *console) report(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errTold):
		return exitFailed
	case errors.Is(err, context.Canceled):
		c.say("onrecord: interrupted.")
		return exitFailed
	}
	if q, ok := errors.AsType[*queryError](err); ok {
		c.say("onrecord: %s", q)
		return exitUsage
	}
	c.say("onrecord: %s", err)
	if audit.CodeOf(err) == audit.CodeInvalid {
		return exitUsage
	}
	return exitFailed
}
