package main

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal"
	"onrecord/web"
)

// figures are what /metrics tells. Their labels are actions, routes and
// statuses: nothing that says who did what.
type figures struct {
	registry *prometheus.Registry

	events   *prometheus.CounterVec
	record   prometheus.Histogram
	search   prometheus.Histogram
	requests *prometheus.CounterVec
	answers  *prometheus.HistogramVec
}

// quick are bounds of latencies from half a millisecond to ten seconds.
var quick = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

func newFigures() *figures {
	f := &figures{
		registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "onrecord_events_recorded_total", Help: "Events that this process recorded.",
		}, []string{"action", "outcome"}),
		record: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "onrecord_record_seconds", Help: "From the beginning of a change until it and its event were durable.", Buckets: quick,
		}),
		search: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "onrecord_search_seconds", Help: "One page of a search of the log.", Buckets: quick,
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "onrecord_http_requests_total", Help: "Requests that were answered.",
		}, []string{"method", "route", "status"}),
		answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "onrecord_http_request_seconds", Help: "From the request's arrival to the end of its answer.", Buckets: quick,
		}, []string{"method", "route"}),
	}
	number, commit := build()
	f.registry.MustRegister(f.events, f.record, f.search, f.requests, f.answers,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "onrecord_build_info", Help: "The program, in its labels; always 1.",
			ConstLabels: prometheus.Labels{"version": number, "commit": commit, "go": runtime.Version()},
		}, func() float64 { return 1 }))
	return f
}

func (f *figures) observer() audit.Observer {
	return audit.Observer{
		Event:  func(action string, outcome audit.Outcome) { f.events.WithLabelValues(action, string(outcome)).Inc() },
		Record: func(took time.Duration) { f.record.Observe(took.Seconds()) },
		Search: func(took time.Duration) { f.search.Observe(took.Seconds()) },
	}
}

// handler answers /metrics for a portal and its database.
func (f *figures) handler(p *portal.Portal, db *database.DB, logger *slog.Logger) http.Handler {
	f.registry.MustRegister(&standing{portal: p, db: db, logger: logger})
	return promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelError)})
}

// silent routes are asked by programs, again and again: they are counted, and
// logged only when they fail.
var silent = map[string]bool{"GET /healthz": true, "GET /readyz": true, "GET /metrics": true, "GET /assets/": true}

// observed counts and logs the requests of a handler.
func (f *figures) observed(h http.Handler, logger *slog.Logger) http.Handler {
	return web.Observed(h, func(r *http.Request, a web.Answered) {
		f.requests.WithLabelValues(a.Method, a.Route, strconv.Itoa(a.Status)).Inc()
		f.answers.WithLabelValues(a.Method, a.Route).Observe(a.Took.Seconds())
		if silent[a.Route] && a.Status < http.StatusInternalServerError {
			return
		}
		logger.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelInfo, "request",
			slog.String("request", a.Request), slog.String("method", a.Method), slog.String("route", a.Route),
			slog.Int("status", a.Status), slog.Int64("bytes", a.Bytes), slog.Float64("ms", float64(a.Took.Microseconds())/1000))
	})
}

// standing reads, when it is asked, how the log and the database stand.
type standing struct {
	portal *portal.Portal
	db     *database.DB
	logger *slog.Logger
}

var (
	readyFigure    = prometheus.NewDesc("onrecord_ready", "1 if the portal can serve, as /readyz says.", nil, nil)
	unsealedFigure = prometheus.NewDesc("onrecord_unsealed_events", "Events that are recorded but not sealed yet.", nil, nil)
	lagFigure      = prometheus.NewDesc("onrecord_seal_lag_seconds", "Age of the oldest event that is not sealed yet.", nil, nil)
	eventsFigure   = prometheus.NewDesc("onrecord_events", "Events of all logs.", nil, nil)
	faultsFigure   = prometheus.NewDesc("onrecord_log_faults", "What the last check found wrong with the log; absent until one was made.", nil, nil)
	checkedFigure  = prometheus.NewDesc("onrecord_log_checked_timestamp_seconds", "When the log was last checked; absent until it was.", nil, nil)
	poolFigure     = prometheus.NewDesc("onrecord_database_connections", "Connections to the database.", []string{"pool", "state"}, nil)
	waitsFigure    = prometheus.NewDesc("onrecord_database_waits_total", "How often a connection had to be waited for.", []string{"pool"}, nil)
	waitedFigure   = prometheus.NewDesc("onrecord_database_wait_seconds_total", "How long was waited for a connection.", []string{"pool"}, nil)
)

// Describe is for prometheus.Collector.
func (*standing) Describe(all chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{readyFigure, eventsFigure, unsealedFigure, lagFigure, faultsFigure, checkedFigure, poolFigure, waitsFigure, waitedFigure} {
		all <- d
	}
}

// Collect is for prometheus.Collector. What cannot be read is left out.
func (s *standing) Collect(all chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		all <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		all <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	h, err := s.portal.Health(context.Background())
	if err != nil {
		s.logger.Warn("the portal is not ready", "error", err)
		gauge(readyFigure, 0)
	} else {
		gauge(readyFigure, 1)
		gauge(unsealedFigure, float64(h.Unsealed))
		gauge(lagFigure, h.Lag.Seconds())
		gauge(eventsFigure, float64(h.Events))
	}
	if !h.Checked.IsZero() {
		gauge(checkedFigure, float64(h.Checked.Unix()))
		gauge(faultsFigure, float64(h.Faulty))
	}
	for _, p := range s.db.Pools() {
		gauge(poolFigure, float64(p.Stats.InUse), p.Name, "used")
		gauge(poolFigure, float64(p.Stats.Idle), p.Name, "idle")
		counter(waitsFigure, float64(p.Stats.WaitCount), p.Name)
		counter(waitedFigure, p.Stats.WaitDuration.Seconds(), p.Name)
	}
}
