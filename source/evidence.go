package source

import "time"

// Evidence is what a host says beside its sockets, part by part. Package
// evidence gathers it.
type Evidence struct {
	Time      time.Time `json:"time"` // when it was asked
	Firewall  Firewall  `json:"firewall"`
	Conntrack Conntrack `json:"conntrack"`
	OtherNAT  OtherNAT  `json:"other_nat"`
	Log       SystemLog `json:"log"`
	Sysctls   Sysctls   `json:"sysctls"`
	Resources Resources `json:"resources,omitzero"`
}

// Outcome says how far a part of the evidence was read.
type Outcome string

const (
	// OutcomeRead says that the part was read. A reason beside it names what is
	// missing from it all the same.
	OutcomeRead Outcome = "read"
	// OutcomeNotReadable says that the part is there, but could not be read.
	OutcomeNotReadable Outcome = "not readable"
	// OutcomeNotThere says that this host has no such thing, or that ephtop
	// does not know it on this system.
	OutcomeNotThere Outcome = "not there"
)

// Status is the outcome of one part of the evidence, with the reason in one
// sentence.
type Status struct {
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"`
}

// OK reports whether the part was read.
func (s Status) OK() bool { return s.Outcome == OutcomeRead }

// Conntrack is the table of connection tracking of this network namespace.
type Conntrack struct {
	Status
	Count int `json:"count"` // entries (net.netfilter.nf_conntrack_count)
	Max   int `json:"max"`   // the limit (net.netfilter.nf_conntrack_max)
	// The counters since boot, summed over the processors; each entry that was
	// not made or was thrown out may be a packet lost. -1 where not read.
	InsertFailed int64 `json:"insert_failed"`
	Drop         int64 `json:"drop"`
	EarlyDrop    int64 `json:"early_drop"`
}

// OtherNAT is what translates in this network namespace and keeps that to itself: it
// has no entries in the table of connection tracking.
type OtherNAT struct {
	Status
	IPVS   int  `json:"ipvs"`   // virtual services (ipvsadm(8))
	Cilium bool `json:"cilium"` // which may translate by BPF
}
