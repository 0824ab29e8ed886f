package model

import (
	"strings"
	"testing"

	"ephtop/source"
)

func TestServices(t *testing.T) {
	for _, tt := range []struct {
		port  uint16
		proto source.Proto
		name  string
		kind  Kind
	}{
		{5432, source.TCP, "postgresql", KindDatabase},
		{5432, source.UDP, "", KindUnknown},
		{443, source.TCP, "https", KindWeb},
		{443, source.UDP, "https", KindWeb},
		{53, source.UDP, "domain", KindDNS},
		{123, source.UDP, "ntp", KindNTP},
		{22, source.TCP, "ssh", KindSSH},
		{6379, source.TCP, "redis", KindCache},
		{5672, source.TCP, "amqp", KindBroker},
		{25, source.TCP, "smtp", KindMail},
		{389, source.TCP, "ldap", KindDirectory},
		{2049, source.TCP, "nfs", KindFile},
		{514, source.UDP, "syslog", KindMonitoring},
		{0, source.TCP, "", KindUnknown},
		{65535, source.TCP, "", KindUnknown},
		{443, 0, "", KindUnknown},
	} {
		if got := ServiceName(tt.port, tt.proto); got != tt.name {
			t.Errorf("ServiceName(%d, %v) = %q, want %q", tt.port, tt.proto, got, tt.name)
		}
		if got := ServiceKind(tt.port, tt.proto); got != tt.kind {
			t.Errorf("ServiceKind(%d, %v) = %v, want %v", tt.port, tt.proto, got, tt.kind)
		}
	}
}

func TestServicePort(t *testing.T) {
	for _, tt := range []struct {
		name string
		want uint16
		ok   bool
	}{
		{"https", 443, true},
		{"HTTPS", 443, true},
		{"postgresql", 5432, true},
		{"postgres", 5432, true},
		{"dns", 53, true},
		{"memcached", 11211, true},
		{"mssql", 1433, true},
		{"mongo", 27017, true},
		{"rdp", 3389, true},
		{"vnc", 5900, true},
		{"smb", 445, true},
		{"", 0, false},
		{"nosuch", 0, false},
	} {
		if got, ok := ServicePort(tt.name); got != tt.want || ok != tt.ok {
			t.Errorf("ServicePort(%q) = %d, %v, want %d, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

// The table is searched by bisection, and its names are part of the filter
// language, where a space or a comma would need quotes.
func TestServiceTable(t *testing.T) {
	for i, s := range services {
		if i > 0 && services[i-1].port >= s.port {
			t.Errorf("port %d stands after %d", s.port, services[i-1].port)
		}
		if port, ok := ServicePort(s.name); !ok || port != s.port {
			t.Errorf("ServicePort(%q) = %d, %v, want %d: is the name there twice?", s.name, port, ok, s.port)
		}
		if s.over&^overBoth != 0 || s.over == 0 || s.kind == KindUnknown || s.kind.String() == KindUnknown.String() {
			t.Errorf("the entry of %q lacks a protocol or a kind", s.name)
		}
		if strings.ToLower(s.name) != s.name || strings.ContainsAny(s.name, " ,:\"") {
			t.Errorf("the name %q would need quotes in a filter", s.name)
		}
	}
	if got := Kind(200).String(); got != "unknown" {
		t.Errorf("Kind(200) = %q, want unknown", got)
	}
}
