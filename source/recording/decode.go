package recording

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ephtop/source"
)

// enum is a type of numbers that have names: these are written, and the number
// where two have the same name.
type enum struct {
	json   [256][]byte
	values map[string]uint8
	read   *json.Unmarshalers
}

// enums are made when they are first needed: most runs neither write nor read a
// recording, and the first frame is not to wait for them.
var enums = sync.OnceValue(func() map[reflect.Type]*enum {
	return map[reflect.Type]*enum{
		reflect.TypeFor[source.Proto]():     newEnum[source.Proto](),
		reflect.TypeFor[source.State]():     newEnum[source.State](),
		reflect.TypeFor[source.Timer]():     newEnum[source.Timer](),
		reflect.TypeFor[source.Bind]():      newEnum[source.Bind](),
		reflect.TypeFor[source.Stamps]():    newEnum[source.Stamps](),
		reflect.TypeFor[source.EventKind](): newEnum[source.EventKind](),
		reflect.TypeFor[source.ScopeKind](): newEnum[source.ScopeKind](),
	}
})

func newEnum[T interface {
	~uint8
	String() string
}]() *enum {
	e := &enum{values: make(map[string]uint8)}
	for i := range e.json {
		name := T(i).String()
		if _, taken := e.values[name]; taken {
			e.json[i] = strconv.AppendInt(nil, int64(i), 10)
			continue
		}
		e.values[name] = uint8(i)
		e.json[i] = appendText(nil, name)
	}
	e.read = json.UnmarshalFromFunc(func(dec *jsontext.Decoder, v *T) error {
		n, err := e.decode(dec)
		*v = T(n)
		return err
	})
	return e
}

func (e *enum) decode(dec *jsontext.Decoder) (uint8, error) {
	if dec.PeekKind() == '0' {
		var n uint8
		err := json.UnmarshalDecode(dec, &n)
		return n, err
	}
	var memory [32]byte
	text, err := unquoted(dec, memory[:0])
	n, ok := e.values[string(text)]
	if err == nil && !ok {
		err = fmt.Errorf("%.40q is unknown", text)
	}
	return n, err
}

// unquoted reads a text into memory that may be too short.
func unquoted(dec *jsontext.Decoder, memory []byte) ([]byte, error) {
	raw, err := dec.ReadValue()
	if err != nil {
		return nil, err
	}
	return jsontext.AppendUnquote(memory, raw)
}

// forms gives the readers of those types whose form is not that of package
// json. Times are on the scale that begins at start.
func forms(start *time.Time) []*json.Unmarshalers {
	list := []*json.Unmarshalers{
		json.UnmarshalFromFunc(readText[string]),
		json.UnmarshalFromFunc(readText[source.LimitCode]),
		json.UnmarshalFromFunc(readAddr),
		json.UnmarshalFromFunc(readSeconds),
		json.UnmarshalFromFunc(func(dec *jsontext.Decoder, t *time.Time) error { return readTime(dec, t, *start) }),
	}
	for _, e := range enums() {
		list = append(list, e.read)
	}
	return list
}

func readText[T ~string](dec *jsontext.Decoder, s *T) error {
	text, err := unquoted(dec, nil)
	if err == nil && len(text) > maxString {
		err = fmt.Errorf("a text of %d bytes", len(text))
	}
	*s = T(text)
	return err
}

func readAddr(dec *jsontext.Decoder, a *source.Addr) error {
	var memory [64]byte
	text, err := unquoted(dec, memory[:0])
	if err != nil {
		return err
	}
	addr, err := netip.ParseAddr(string(text))
	if err != nil || addr.Zone() != "" {
		return fmt.Errorf("bad address %.60q", text)
	}
	*a = source.AddrFrom(addr)
	return nil
}

func readSeconds(dec *jsontext.Decoder, d *time.Duration) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	*d, err = parseSeconds(raw)
	return err
}

func readTime(dec *jsontext.Decoder, t *time.Time, start time.Time) error {
	*t = time.Time{}
	if dec.PeekKind() == 'n' {
		return dec.SkipValue()
	}
	var d time.Duration
	if err := readSeconds(dec, &d); err != nil {
		return err
	}
	*t = start.Add(d)
	return checkTime(*t)
}

// parseSeconds reads seconds with up to 9 decimals.
func parseSeconds(text []byte) (time.Duration, error) {
	var memory [32]byte
	whole, rest, dot := bytes.Cut(text, []byte("."))
	if len(rest) <= 9 && len(whole) <= 11 && dot == (len(rest) > 0) {
		nanoseconds := append(append(memory[:0], whole...), rest...)
		nanoseconds = append(nanoseconds, "000000000"[len(rest):]...)
		if n, err := strconv.ParseInt(string(nanoseconds), 10, 64); err == nil {
			return time.Duration(n), nil
		}
	}
	return 0, fmt.Errorf("bad seconds %.40q", text)
}

// each reads the elements of a list, of which there may be so many.
func each(dec *jsontext.Decoder, most int, read func() error) error {
	if open, err := dec.ReadToken(); err != nil {
		return err
	} else if open.Kind() != '[' {
		return fmt.Errorf("a list expected")
	}
	for n := 0; dec.PeekKind() != ']'; n++ {
		if n == most {
			return fmt.Errorf("more than %d in a list", most)
		}
		if err := read(); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// leading reads the fields that stand first in an object, as long as read
// knows their names.
func leading(dec *jsontext.Decoder, read func(name string) (known bool, err error)) error {
	if open, err := dec.ReadToken(); err != nil {
		return err
	} else if open.Kind() != '{' {
		return fmt.Errorf("an object expected")
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if known, err := read(name.String()); err != nil || !known {
			return err
		}
	}
	return nil
}

// readID gives the id in an object. Where it stands first, as this package writes it,
// the rest needn't be read for it.
func readID(object jsontext.Value) (uint32, error) {
	if rest, first := bytes.CutPrefix(object, []byte(`{"id":`)); first {
		end, n := bytes.IndexAny(rest, ",}"), 0
		if end > 0 && natural(rest[:end], &n) {
			return uint32(n), nil
		}
	}
	var v struct {
		ID uint32 `json:"id"`
	}
	err := json.Unmarshal(object, &v)
	return v.ID, err
}
