package recording

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"ephtop/source"
)

// object says how the fields of a struct are written: under the names of their
// json tags, those of embedded structs beside them.
type object struct {
	fields []field
	zero   values // of a struct in which nothing is set
}

type field struct {
	name   string
	key    string // the name with quotes and colon
	index  []int
	append appender
}

// appender appends a value as JSON. It must be addressable.
type appender func(b []byte, v reflect.Value) []byte

// values are the fields of a struct as JSON.
type values [][]byte

// newObject makes the object of a type. A field whose type has no form is a
// mistake in the program.
func newObject(t reflect.Type, start *time.Time) *object {
	o := new(object)
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		o.fields = append(o.fields, field{name, strconv.Quote(name) + ":", f.Index, appenderOf(f.Type, start)})
	}
	o.zero = o.values(nil, reflect.New(t).Elem())
	return o
}

// only is the object with the fields of the given names.
func (o *object) only(names []string) *object {
	part := new(object)
	for i := range o.fields {
		if slices.Contains(names, o.fields[i].name) {
			part.fields, part.zero = append(part.fields, o.fields[i]), append(part.zero, o.zero[i])
		}
	}
	return part
}

// values gives the fields of v, in the memory of old.
func (o *object) values(old values, v reflect.Value) values {
	if old == nil {
		old = make(values, len(o.fields))
	}
	for i := range o.fields {
		f := &o.fields[i]
		old[i] = f.append(old[i][:0], v.FieldByIndex(f.index))
	}
	return old
}

// forget has all values be unlike any, but for those of the fields with the given names.
func (o *object) forget(v values, but []string) {
	for i := range o.fields {
		if !slices.Contains(but, o.fields[i].name) {
			v[i] = v[i][:0]
		}
	}
}

// append appends to an open object the fields of v that differ from base.
func (o *object) append(b []byte, base values, v reflect.Value) []byte {
	return o.fold(b, base, v, false)
}

// fold does so too, and makes base the fields of v.
func (o *object) fold(b []byte, base values, v reflect.Value, keep bool) []byte {
	none := &base[0] == &o.zero[0] // then what is zero needn't be written to be seen as such
	for i := range o.fields {
		f := &o.fields[i]
		field := v.FieldByIndex(f.index)
		if none && field.IsZero() {
			continue
		}
		before := len(b)
		if b[before-1] != '{' {
			b = append(b, ',')
		}
		b = append(b, f.key...)
		at := len(b)
		b = f.append(b, field)
		if bytes.Equal(b[at:], base[i]) {
			b = b[:before]
		} else if keep {
			base[i] = append(base[i][:0], b[at:]...)
		}
	}
	return b
}

// appenderOf gives the form of a type. Times are written on the scale that
// begins at start.
func appenderOf(t reflect.Type, start *time.Time) appender {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return func(b []byte, v reflect.Value) []byte { return appendSeconds(b, time.Duration(v.Int())) }
	case reflect.TypeFor[time.Time]():
		return func(b []byte, v reflect.Value) []byte { return appendTime(b, v, *start) }
	case reflect.TypeFor[source.Addr]():
		return appendAddr
	}
	if e, ok := enums()[t]; ok {
		return func(b []byte, v reflect.Value) []byte { return append(b, e.json[v.Uint()]...) }
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendBool(b, v.Bool()) }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendInt(b, v.Int(), 10) }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendUint(b, v.Uint(), 10) }
	case reflect.Float64:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendFloat(b, v.Float(), 'g', -1, 64) }
	case reflect.String:
		return func(b []byte, v reflect.Value) []byte { return appendText(b, v.String()) }
	case reflect.Slice:
		return listAppender(appenderOf(t.Elem(), start))
	case reflect.Struct:
		return structAppender(newObject(t, start))
	}
	panic(fmt.Sprintf("recording: %v has no form in a recording", t))
}

func listAppender(element appender) appender {
	return func(b []byte, v reflect.Value) []byte {
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = element(b, v.Index(i))
		}
		return append(b, ']')
	}
}

// structAppender writes all fields, also those that are zero: where the struct
// is part of something that changed, all that is left out would stay as it was.
func structAppender(o *object) appender {
	none := make(values, len(o.fields))
	return func(b []byte, v reflect.Value) []byte {
		return append(o.append(append(b, '{'), none, v), '}')
	}
}

// appendSeconds appends a duration as seconds, exactly and without trailing
// zeros.
func appendSeconds(b []byte, d time.Duration) []byte {
	n := uint64(d)
	if d < 0 {
		b = append(b, '-')
		n = -n
	}
	b = strconv.AppendUint(b, n/1e9, 10)
	rest := n % 1e9
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for unit := uint64(1e8); rest > 0; unit /= 10 {
		b = append(b, byte('0'+rest/unit))
		rest %= unit
	}
	return b
}

func appendTime(b []byte, v reflect.Value, start time.Time) []byte {
	t := v.Addr().Interface().(*time.Time)
	if t.IsZero() {
		return append(b, "null"...)
	}
	return appendSeconds(b, t.Sub(start))
}

func appendAddr(b []byte, v reflect.Value) []byte {
	b = append(b, '"')
	b = v.Addr().Interface().(*source.Addr).AppendTo(b)
	return append(b, '"')
}

// appendText appends a text that was made clean. Then it can't fail.
func appendText(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, clean(s))
	return b
}

// clean is what a recording keeps of a text: valid UTF-8, cut behind a whole
// character.
func clean(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	if len(s) <= maxString {
		return s
	}
	end := maxString
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
