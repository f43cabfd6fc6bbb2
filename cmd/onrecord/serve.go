package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"onrecord/api"
	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/database"
	"onrecord/portal"
	"onrecord/web"
)

type serveCommand struct {
	dbFlag
	Addr           string   `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen; port 0 takes a free one. Unless told, ${default}."`
	URL            string   `name:"url" placeholder:"URL" help:"The address that people type, such as https://portal.example.com: for links, and for cookies that need HTTPS."`
	TrustedProxies []string `placeholder:"CIDR,…" help:"Networks of the proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8."`
	signingFlag
	Witness []string `placeholder:"URL=VKEY" sep:"none" help:"A witness that is to cosign the checkpoints, with its public key; may be given several times."`
	tlsFlags
	CheckEvery  time.Duration `placeholder:"TIME" help:"How often to derive the whole log again while serving, such as 24h; /readyz and /metrics tell what was found. It reads everything: see docs/operating.md. Never unless told."`
	MetricsAddr string        `placeholder:"HOST:PORT" help:"Where to answer /metrics, /healthz and /readyz to whoever can connect. Unless told, /metrics is answered at --addr, to programs on this machine only."`
	logFlag
}

// Help is shown under the flags.
func (serveCommand) Help() string {
	return `Brings the database's schema up to date first, on SQLite after a copy of the file, on PostgreSQL if its role may. Other commands may run beside it. A second server on the same SQLite file refuses; on PostgreSQL any number may serve. The address is printed on standard output, the program's own log goes to standard error: a line for each request, without anything that says who asked. docs/operating.md tells how to run it for years. SIGTERM and Ctrl-C let the requests under way finish.

    onrecord serve
    onrecord serve --db sqlite:/var/lib/onrecord/onrecord.db --addr 127.0.0.1:8080 \
        --url https://portal.example.com --trusted-proxies 127.0.0.1
    onrecord serve --db postgres://onrecord@db/onrecord --signing-key /etc/onrecord/onrecord.key
    onrecord serve --addr :443 --url https://portal.example.com --tls-cert chain.pem --tls-key key.pem`
}

// Run serves until it is told to stop.
func (s *serveCommand) Run(ctx context.Context, c *console) (err error) {
	config, err := s.config(c)
	if err != nil {
		return err
	}
	witnesses, err := s.witnesses()
	if err != nil {
		return err
	}
	keys := s.file(s.dbFlag)
	if keys == "" {
		return audit.Invalid("signing-key", "--signing-key is missing: on PostgreSQL say where the keys are that sign the log, the same for every process; onrecord setup --signing-key makes the first")
	}
	db, err := database.Open(ctx, s.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	release, err := makeReady(ctx, c, db)
	if err != nil {
		return err
	}
	defer release()
	figures := newFigures()
	p, err := portal.Open(ctx, db, portal.WithLogger(config.Logger), portal.WithObserver(figures.observer()), portal.WithSigningKeys(keys), portal.WithWitnesses(witnesses...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := tellSigning(ctx, c, p, s.dbFlag, keys); err != nil {
		return err
	}
	defer beside(ctx, p.GatherCosignatures)()
	ln, err := s.listen(ctx, config.Logger)
	if err != nil {
		return err
	}
	defer ln.Close()
	if p.Organization() == "" {
		c.say("Nobody can sign in yet: make the first team with onrecord setup --db %s.", s.dbFlag)
	}
	metrics := figures.handler(p, db, config.Logger)
	if s.MetricsAddr == "" {
		config.Metrics = metrics
	}
	apart, err := s.serveApart(ctx, c, web.Operating(p, config.Logger, metrics))
	if err != nil {
		return err
	}
	defer beside(ctx, func(ctx context.Context) { s.checkLog(ctx, p, config.Logger) })()
	fmt.Fprintf(c.out, "Address: %s\n", address(ln, config.URL))
	err = web.Serve(ctx, ln, figures.observed(pagesAndAPI(ctx, p, config), config.Logger))
	return errors.Join(err, apart())
}

// makeReady brings the schema up to date. A SQLite file it locks against other
// servers until release.
func makeReady(ctx context.Context, c *console, db *database.DB) (release func() error, err error) {
	release = func() error { return nil }
	if db.Path() != "" {
		lock, err := lockDatabase(db.Path())
		if err != nil {
			return nil, err
		}
		release = lock.release
	}
	current, err := upToDate(ctx, db)
	// On PostgreSQL the role that serves may not migrate, and need not.
	if err == nil && !(current && db.Path() == "") {
		err = migrate(ctx, c, db)
	}
	if err != nil {
		return nil, errors.Join(err, release())
	}
	return release, nil
}

// beside runs something in the background. What it returns ends that and waits
// for it.
func beside(ctx context.Context, do func(context.Context)) (end func()) {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { do(ctx) })
	return func() { stop(); running.Wait() }
}

// checkLog derives the log again, first at once and then every so often.
func (s *serveCommand) checkLog(ctx context.Context, p *portal.Portal, logger *slog.Logger) {
	for s.CheckEvery > 0 {
		began := time.Now()
		places, err := p.CheckLog(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			logger.Error("the log could not be checked", "error", err)
		default:
			logger.Info("the log was checked", "faults", len(places), "seconds", time.Since(began).Seconds())
		}
		for _, place := range places {
			logger.Error("the log is wrong: onrecord verify tells more", "place", place)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.CheckEvery):
		}
	}
}

// pagesAndAPI answers people and programs at one address.
func pagesAndAPI(ctx context.Context, p *portal.Portal, config web.Config) http.Handler {
	pages := web.New(p, config)
	programs := api.New(p, api.Config{URL: config.URL, Client: config.Client, Logger: config.Logger, Stopping: ctx.Done()})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := r.URL.Path; path == api.Prefix || strings.HasPrefix(path, api.Prefix+"/") {
			programs.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// witnesses reads --witness.
func (s *serveCommand) witnesses() ([]*seal.WitnessClient, error) {
	var all []*seal.WitnessClient
	for _, text := range s.Witness {
		w, err := seal.ParseWitnessClient(text)
		if err != nil {
			return nil, audit.Invalid("witness", "--witness: %v", err)
		}
		all = append(all, w)
	}
	return all, nil
}

// listen opens the address where people come.
func (s *serveCommand) listen(ctx context.Context, logger *slog.Logger) (net.Listener, error) {
	ln, err := listen(ctx, s.Addr)
	if err != nil {
		return nil, err
	}
	secure, err := s.wrap(ln, logger)
	if err != nil {
		ln.Close()
	}
	return secure, err
}

// serveApart begins to answer at --metrics-addr, if there is one. What it
// returns ends that and tells what went wrong.
func (s *serveCommand) serveApart(ctx context.Context, c *console, h http.Handler) (end func() error, err error) {
	if s.MetricsAddr == "" {
		return func() error { return nil }, nil
	}
	ln, err := listen(ctx, s.MetricsAddr)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ctx, ln, h) }()
	fmt.Fprintf(c.out, "Metrics: %s/metrics\n", address(ln, ""))
	return func() error { stop(); return <-ended }, nil
}

func (s *serveCommand) config(c *console) (web.Config, error) {
	config := web.Config{Logger: s.logger(c)}
	var err error
	if s.CheckEvery < 0 {
		return config, audit.Invalid("check-every", "--check-every: %s is no time to wait: write 24h, or 0 for never", s.CheckEvery)
	}
	if config.URL, err = web.CheckURL(s.URL); err != nil {
		return config, audit.Invalid("url", "--url: %s", err)
	}
	if err := s.check(config.URL); err != nil {
		return config, err
	}
	for _, text := range s.TrustedProxies {
		network, err := parseNetwork(strings.TrimSpace(text))
		if err != nil {
			return config, err
		}
		config.TrustedProxies = append(config.TrustedProxies, network)
	}
	return config, nil
}

// parseNetwork reads a network, or one address.
func parseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	network, err := netip.ParsePrefix(s)
	if err != nil {
		return network, audit.Invalid("trusted-proxies", "--trusted-proxies: %q is neither a network, such as 10.0.0.0/8, nor an address, such as 127.0.0.1", s)
	}
	return network.Masked(), nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", addr, err)
	}
	return ln, nil
}

// address is where people find the portal: url, or where it listens.
func address(ln net.Listener, url string) string {
	if url != "" {
		return url
	}
	at, ok := ln.Addr().(*net.TCPAddr)
	if ok && at.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", at.Port)
	}
	return "http://" + ln.Addr().String()
}

func isHTTPS(url string) bool { return strings.HasPrefix(url, "https://") }

// logFlag says how the program's own log is written.
type logFlag struct {
	LogFormat string `default:"auto" enum:"auto,text,json" placeholder:"FORMAT" help:"How the program's own log is written: text or json. Unless told, text on a terminal and json elsewhere."`
}

func (f logFlag) logger(c *console) *slog.Logger {
	if f.LogFormat == "text" || f.LogFormat == "auto" && isTerminal(c.err) {
		return slog.New(slog.NewTextHandler(c.err, nil))
	}
	return slog.New(slog.NewJSONHandler(c.err, nil))
}
