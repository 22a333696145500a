// Judges alerts and dashboards with the packages of Prometheus itself. Standard input is one JSON document: scrapes of
// an agent, a file of alerting rules, and queries of dashboards. Standard output has the times at which the alerts
// fire, and the answer to each query.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/util/teststorage"
)

type input struct {
	Scrapes []scrape `json:"scrapes"`
	// Rules is a file of rule groups, as YAML.
	Rules string `json:"rules"`
	// Rules are evaluated at From, then after each Every seconds, up to Until. Times are seconds since 1970.
	From  int64 `json:"from"`
	Every int64 `json:"every"`
	Until int64 `json:"until"`
	// Queries are evaluated at Until.
	Queries []string `json:"queries"`
}

type scrape struct {
	// At is the time in seconds since 1970.
	At int64 `json:"at"`
	// Text is what the agent answers, in the text format of Prometheus.
	Text string `json:"text"`
	// Labels are those that Prometheus adds to each series.
	Labels map[string]string `json:"labels"`
}

type firing struct {
	Alert  string            `json:"alert"`
	At     int64             `json:"at"`
	Labels map[string]string `json:"labels"`
}

type answer struct {
	Error  string              `json:"error,omitempty"`
	Series []map[string]string `json:"series"`
	Values []string            `json:"values"`
}

type output struct {
	RuleErrors []string `json:"ruleErrors"`
	// Firing has an entry for the first time at which an alert fires with these labels.
	Firing  []firing `json:"firing"`
	Answers []answer `json:"answers"`
}

var language = parser.NewParser(parser.Options{})

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	storage, err := teststorage.NewWithError()
	if err != nil {
		return err
	}
	defer storage.Close()
	last := seriesByHash{}
	for _, scraped := range in.Scrapes {
		if last, err = store(storage, scraped, last); err != nil {
			return err
		}
	}
	limits := promql.EngineOpts{MaxSamples: 10_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute}
	engine := promql.NewEngine(limits)
	out := output{RuleErrors: []string{}, Firing: []firing{}, Answers: []answer{}}
	query := rules.EngineQueryFunc(engine, storage)
	ctx := context.Background()

	groups, errs := rulefmt.Parse([]byte(in.Rules), false, model.UTF8Validation, language, promslog.NewNopLogger())
	for _, err := range errs {
		out.RuleErrors = append(out.RuleErrors, err.Error())
	}
	if groups != nil && len(errs) == 0 {
		for _, group := range groups.Groups {
			for _, rule := range group.Rules {
				fired, err := evaluate(ctx, rule, in, query)
				if err != nil {
					out.RuleErrors = append(out.RuleErrors, fmt.Sprintf("%s: %v", rule.Alert, err))
				}
				out.Firing = append(out.Firing, fired...)
			}
		}
	}
	for _, text := range in.Queries {
		vector, err := query(ctx, text, time.Unix(in.Until, 0))
		a := answer{Series: []map[string]string{}, Values: []string{}}
		if err != nil {
			a.Error = err.Error()
		}
		for _, sample := range vector {
			a.Series = append(a.Series, sample.Metric.Map())
			a.Values = append(a.Values, fmt.Sprint(sample.F))
		}
		out.Answers = append(out.Answers, a)
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

func evaluate(ctx context.Context, rule rulefmt.Rule, in input, query rules.QueryFunc) ([]firing, error) {
	expression, err := language.ParseExpr(rule.Expr)
	if err != nil {
		return nil, err
	}
	hold, keep := time.Duration(rule.For), time.Duration(rule.KeepFiringFor)
	added, notes := labels.FromMap(rule.Labels), labels.FromMap(rule.Annotations)
	log := promslog.NewNopLogger()
	alert := rules.NewAlertingRule(rule.Alert, expression, hold, keep, added, notes, labels.EmptyLabels(), "", true, log)
	var fired []firing
	seen := map[string]bool{}
	for at := in.From; at <= in.Until; at += in.Every {
		if _, err := alert.Eval(ctx, 0, time.Unix(at, 0), query, nil, 0); err != nil {
			return fired, err
		}
		for _, active := range alert.ActiveAlerts() {
			key := active.Labels.String()
			if active.State != rules.StateFiring || seen[key] {
				continue
			}
			seen[key] = true
			fired = append(fired, firing{Alert: rule.Alert, At: at, Labels: active.Labels.Map()})
		}
	}
	return fired, nil
}

type seriesByHash map[uint64]labels.Labels

// store adds the samples of a scrape, and the series `up` that Prometheus adds for each target. Series of the last
// scrape that are absent from this one get the mark of a stale series, as in Prometheus. It returns the series of this
// scrape.
func store(storage *teststorage.TestStorage, scraped scrape, last seriesByHash) (seriesByHash, error) {
	appender := storage.Appender(context.Background())
	stored := seriesByHash{}
	add := func(series labels.Labels, value float64) error {
		builder := labels.NewBuilder(series)
		for name, text := range scraped.Labels {
			builder.Set(name, text)
		}
		complete := builder.Labels()
		stored[complete.Hash()] = complete
		_, err := appender.Append(0, complete, scraped.At*1000, value)
		return err
	}
	if err := add(labels.FromStrings(model.MetricNameLabel, "up"), 1); err != nil {
		return nil, err
	}
	samples := textparse.NewPromParser([]byte(scraped.Text), labels.NewSymbolTable(), false)
	for {
		entry, err := samples.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("scrape at %d s: %w", scraped.At, err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var series labels.Labels
		_, _, number := samples.Series()
		samples.Labels(&series)
		if err := add(series, number); err != nil {
			return nil, err
		}
	}
	for hash, series := range last {
		if _, found := stored[hash]; found {
			continue
		}
		if _, err := appender.Append(0, series, scraped.At*1000, math.Float64frombits(value.StaleNaN)); err != nil {
			return nil, err
		}
	}
	return stored, appender.Commit()
}
