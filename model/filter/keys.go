package filter

import (
	"slices"
	"strings"

	"ephtop/model"
	"ephtop/source"
)

// Key is a key of the language: what stands before the ":" of a term.
type Key struct {
	Name string
	Kind Kind
	// Help says in a few words what the key looks at, or what it takes.
	Help string
	// Example is a term with the key.
	Example string
	// Values are all that the key takes, where Kind is Word.
	Values []string
}

// Kind is what the values of a key are.
type Kind uint8

// The kinds of values.
const (
	Word    Kind = iota // one of a few, which Key.Values lists
	Number              // decimal
	Text                // a part of a text; after "=" all of it
	Name                // a whole name, or its number
	Address             // address, prefix, or address with port
	Port                // port, range of ports, or service name
	Age                 // a time; takes < and > too
)

// Prefix returns what a term with the key begins with: its name and ":", or
// for an age ">".
func (k *Key) Prefix() string {
	if k.Kind == Age {
		return k.Name + ">"
	}
	return k.Name + ":"
}

// keyEntry is a key and how its terms are compiled.
type keyEntry struct {
	Key
	cost    int // of matching, by which terms are ordered
	compile func(values []value, exact bool) (matcher, error)
}

// The costs of matching.
const (
	costBits = iota
	costNumber
	costAddr
	costName
	costCommand
	costText
)

// keys is the language: what is parsed, told in errors, shown in help and
// offered for completion. The most wanted come first.
var keys = [...]keyEntry{
	{Key{"state", Word, "TIME_WAIT, CLOSE_WAIT …", "state:TIME_WAIT,CLOSE_WAIT", stateNames()}, costBits, compileStates},
	{Key{"proc", Text, "name of a process", "proc:nginx", nil}, costName, compileNames},
	{Key{"pid", Number, "process id", "pid:4410", nil}, costNumber, compilePIDs},
	{Key{"user", Name, "name of a user", "user:www-data", nil}, costName, compileUsers},
	{Key{"local", Address, "address or prefix", "local:10.0.0.0/8", nil}, costAddr, endLocal.compileAddrs},
	{Key{"remote", Address, "address or prefix", "remote:2001:db8::/32", nil}, costAddr, endRemote.compileAddrs},
	{Key{"lport", Port, "port or range", "lport:32768-40000", nil}, costNumber, endLocal.compilePorts},
	{Key{"rport", Port, "port or range", "rport:443,5432", nil}, costNumber, endRemote.compilePorts},
	{Key{"proto", Word, "tcp or udp", "proto:udp", []string{"tcp", "udp"}}, costBits, compileProtos},
	{Key{"age", Age, "time since it was first seen", "age>30s", nil}, costNumber, compileAges},
	{Key{"owner", Word, "observed, inferred …", "owner:inferred", tierNames()}, costBits, compileTiers},
	{Key{"addr", Address, "local or remote", "addr:10.0.0.9", nil}, costAddr, endBoth.compileAddrs},
	{Key{"port", Port, "local or remote", "port:443", nil}, costNumber, endBoth.compilePorts},
	{Key{"cmd", Text, "command line", "cmd:--worker", nil}, costCommand, compileCommands},
	{Key{"ns", Text, "network namespace", "ns:shop/api", nil}, costName, compileNamespaces},
	{Key{"container", Text, "container or pod", "container:web", nil}, costName, compileContainers},
	{Key{"unit", Text, "unit of systemd", "unit:nginx.service", nil}, costName, compileUnits},
}

// Keys returns the keys of the language, the most wanted first: for help, and
// to complete what is typed.
func Keys() []Key {
	list := make([]Key, len(keys))
	for i := range keys {
		list[i] = keys[i].Key
		list[i].Values = slices.Clone(keys[i].Values)
	}
	return list
}

// stateNames are in the order of a port's life. UNKNOWN is no state that can
// be asked for.
func stateNames() []string {
	var names []string
	for _, s := range model.LifeOrder {
		if s != source.Unknown {
			names = append(names, s.String())
		}
	}
	return names
}

func tierNames() []string {
	var names []string
	for t := model.OwnerUnknown; t <= model.OwnerTraced; t++ {
		names = append(names, t.String())
	}
	return names
}

// keyNames is the list of keys in an error.
func keyNames() string {
	var names []string
	for i := range keys {
		names = append(names, keys[i].Name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// keyOf gives a key by its name in lower case, or nil.
func keyOf(name string) *keyEntry {
	at := slices.IndexFunc(keys[:], func(k keyEntry) bool { return k.Name == name })
	if at < 0 {
		return nil
	}
	return &keys[at]
}

// compile makes a matcher of a term.
func compile(raw rawTerm) (term, error) {
	t := term{Term{raw.text, raw.key.text, raw.negated}, costText, nil}
	var err error
	if t.Key == "" {
		t.matcher, err = compileText(raw.values)
		return t, err
	}
	k := keyOf(t.Key)
	if k == nil {
		return t, raw.key.wrong("unknown key %q: use one of %s; put text with a colon in quotes", t.Key, keyNames())
	}
	if raw.compare && k.Kind != Age {
		return t, raw.key.wrong("only age takes < and >: write %s:VALUE", t.Key)
	}
	t.cost = k.cost
	t.matcher, err = k.compile(raw.values, raw.exact)
	return t, err
}
