// Checks a dashboard of Grafana strictly: everything that Grafana asks for is in
// it, and nothing that it does not know.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/gauge"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func main() {
	known := cog.NewRuntime()
	known.RegisterPanelcfgVariant(gauge.VariantConfig())
	known.RegisterPanelcfgVariant(stat.VariantConfig())
	known.RegisterPanelcfgVariant(timeseries.VariantConfig())
	known.RegisterDataqueryVariant(prometheus.VariantConfig())
	file, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = new(dashboard.Dashboard).UnmarshalJSONStrict(file)
	}
	if none := (cog.BuildErrors)(nil); errors.As(err, &none) && len(none) == 0 {
		err = nil
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s:\n%v\n", os.Args[1], err)
		os.Exit(1)
	}
}
