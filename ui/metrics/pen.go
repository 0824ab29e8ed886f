package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"ephtop/ui/text"
)

// pen writes a page.
type pen struct{ list []prometheus.Metric }

// prefix is that of every name.
const prefix = "ephtop_"

// gauge adds a figure. Labels are names and values in turn.
func (p *pen) gauge(name, help string, value float64, labels ...string) {
	p.add(prometheus.GaugeValue, name, help, value, labels)
}

// counter adds a figure that never goes back.
func (p *pen) counter(name, help string, value float64, labels ...string) {
	p.add(prometheus.CounterValue, name, help, value, labels)
}

func (p *pen) add(kind prometheus.ValueType, name, help string, value float64, labels []string) {
	var names, values []string
	for i := 0; i < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	p.list = append(p.list, prometheus.MustNewConstMetric(prometheus.NewDesc(prefix+name, help, names, nil), kind, value, values...))
}

// longestLabel is the most bytes of a name of foreign origin.
const longestLabel = 128

// label makes a name of foreign origin fit for a label.
func label(name string) string { return text.Clip(name, longestLabel) }
