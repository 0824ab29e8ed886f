package services

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
		{5432, source.TCP, "postgresql", Database},
		{5432, source.UDP, "", Unknown},
		{443, source.TCP, "https", Web},
		{443, source.UDP, "https", Web},
		{53, source.UDP, "domain", DNS},
		{123, source.UDP, "ntp", NTP},
		{22, source.TCP, "ssh", SSH},
		{6379, source.TCP, "redis", Cache},
		{5672, source.TCP, "amqp", Broker},
		{25, source.TCP, "smtp", Mail},
		{389, source.TCP, "ldap", Directory},
		{2049, source.TCP, "nfs", File},
		{514, source.UDP, "syslog", Monitoring},
		{0, source.TCP, "", Unknown},
		{65535, source.TCP, "", Unknown},
		{443, 0, "", Unknown},
	} {
		if got := Name(tt.port, tt.proto); got != tt.name {
			t.Errorf("Name(%d, %v) = %q, want %q", tt.port, tt.proto, got, tt.name)
		}
		if got := KindOf(tt.port, tt.proto); got != tt.kind {
			t.Errorf("KindOf(%d, %v) = %v, want %v", tt.port, tt.proto, got, tt.kind)
		}
	}
}

func TestPort(t *testing.T) {
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
		if got, ok := Port(tt.name); got != tt.want || ok != tt.ok {
			t.Errorf("Port(%q) = %d, %v, want %d, %v", tt.name, got, ok, tt.want, tt.ok)
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
		if port, ok := Port(s.name); !ok || port != s.port {
			t.Errorf("Port(%q) = %d, %v, want %d: is the name there twice?", s.name, port, ok, s.port)
		}
		if s.over&^overBoth != 0 || s.over == 0 || s.kind == Unknown || s.kind.String() == Unknown.String() {
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
