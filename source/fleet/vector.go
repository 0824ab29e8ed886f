package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// sample is a series and its last figure.
type sample struct {
	labels map[string]string
	at     float64 // seconds since 1970
	value  float64
}

// The bounds of an answer: twelve thousand hosts fit in.
const (
	mostSeries    = 100_000
	longestAnswer = 32 << 20
)

var (
	errNotJSON = errors.New("it answers what is no JSON: is this Prometheus?")
	errHalf    = errors.New("its answer ends in the middle")
	errStrange = errors.New("its answer is not that of Prometheus' API")
	errMuch    = fmt.Errorf("its answer has more than %d series or %d MB: narrow it down with --match", mostSeries, longestAnswer>>20)
)

// readVector reads the answer to an instant query (prometheus.io/docs, HTTP API),
// and hands each sample to take. Nothing else of it is kept: an answer is as long
// as it likes to be.
func readVector(r io.Reader, take func(*sample)) error {
	bounded := &io.LimitedReader{R: r, N: longestAnswer}
	v := vectorReader{Decoder: json.NewDecoder(bounded), take: take}
	err := v.object(v.answer)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case bounded.N == 0:
		return errMuch
	case errors.Is(err, io.EOF) && v.InputOffset() == 0:
		return errors.New("its answer is empty")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errHalf
	case errors.As(err, &syntax) && v.samples == 0 && v.status == "":
		return errNotJSON
	case errors.As(err, &syntax), errors.As(err, &kind):
		return errStrange
	case err != nil:
		return err
	case v.status == "error":
		return fmt.Errorf("it refuses: %s", firstLine(v.reason))
	case v.status != "success" || v.kind != "vector":
		return errStrange
	}
	return nil
}

type vectorReader struct {
	*json.Decoder
	take                 func(*sample)
	samples              int
	status, reason, kind string
}

// delim wants a bracket.
func (v *vectorReader) delim(want json.Delim) error {
	token, err := v.Token()
	if err == nil && token != want {
		return errStrange
	}
	return err
}

// object calls field for each key of an object, to read or skip its value.
func (v *vectorReader) object(field func(key string) error) error {
	if err := v.delim('{'); err != nil {
		return err
	}
	for v.More() {
		key, err := v.Token()
		if err != nil {
			return err
		}
		if err := field(key.(string)); err != nil {
			return err
		}
	}
	return v.delim('}')
}

func (v *vectorReader) skip() error { return v.Decode(new(json.RawMessage)) }

func (v *vectorReader) answer(key string) error {
	switch key {
	case "status":
		return v.Decode(&v.status)
	case "error":
		return v.Decode(&v.reason)
	case "data":
		return v.object(v.data)
	}
	return v.skip()
}

func (v *vectorReader) data(key string) error {
	switch key {
	case "resultType":
		return v.Decode(&v.kind)
	case "result":
		return v.result()
	}
	return v.skip()
}

func (v *vectorReader) result() error {
	if err := v.delim('['); err != nil {
		return err
	}
	for v.More() {
		if v.samples++; v.samples > mostSeries {
			return errMuch
		}
		var series struct {
			Metric map[string]string
			Value  [2]any
		}
		if err := v.Decode(&series); err != nil {
			return err
		}
		at, _ := series.Value[0].(float64)
		text, ok := series.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil {
			return errStrange
		}
		v.take(&sample{series.Metric, at, value})
	}
	return v.delim(']')
}

// refusal says what a server said that answered with another status than 200: the
// error of the API, or the first words of a page.
func refusal(status int, body io.Reader) error {
	text, _ := io.ReadAll(io.LimitReader(body, 4096))
	var answer struct{ Error string }
	const doubt = "is this Prometheus?"
	words := ""
	if err := json.Unmarshal(text, &answer); err == nil {
		words = firstLine(answer.Error)
	} else if page := strings.TrimSpace(string(text)); status == 404 || strings.HasPrefix(page, "<") {
		words = doubt
	} else {
		words = firstLine(page)
	}
	words = strings.TrimFunc(words, unicode.IsSpace)
	if status == 401 || status == 403 {
		words = "name and password stand in the URL, as in http://user:password@host:9090"
	}
	if words == "" {
		return fmt.Errorf("it answers HTTP %d", status)
	}
	return fmt.Errorf("it answers HTTP %d: %s", status, words)
}
