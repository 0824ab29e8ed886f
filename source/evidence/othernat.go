package evidence

import (
	"bytes"
	"context"
	"errors"
	"io/fs"

	"ephtop/source"
	"ephtop/source/evidence/host"
)

// otherNAT looks for what translates and keeps that to itself.
func (h *gatherer) otherNAT(context.Context) source.OtherNAT {
	n := source.OtherNAT{Status: read("")}
	data, err := h.ReadNet("ip_vs")
	switch {
	case err == nil:
		n.IPVS = parseIPVS(data)
	case !errors.Is(err, fs.ErrNotExist):
		n.Reason = "whether IPVS translates could not be read: " + host.Reason(err)
	}
	if data, err := h.ReadNet("dev"); err == nil {
		n.Cilium = bytes.Contains(data, []byte("cilium_host:"))
	}
	return n
}

// parseIPVS counts the virtual services of /proc/net/ip_vs: a line each, and below it
// one for each server, which begins with an arrow (ip_vs_info_seq_show).
func parseIPVS(data []byte) (services int) {
	for line := range bytes.Lines(data) {
		for _, proto := range [...]string{"TCP ", "UDP ", "SCTP ", "FWM "} {
			if bytes.HasPrefix(line, []byte(proto)) {
				services++
			}
		}
	}
	return services
}
