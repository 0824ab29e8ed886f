package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"ephtop/source"
	"ephtop/source/recording"
)

// A recording is written moment by moment, and read in the same way.
func Example() {
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, recording.Header{Program: "example 1.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var m source.Moment
	for i := range 3 {
		m.Reset()
		m.Time = time.Date(2026, 11, 22, 12, 0, i, 0, time.UTC)
		s := m.Add(source.Scope{Host: "db1", Name: "web", Kind: source.ScopeContainer})
		m.Room = append(m.Room, source.Socket{Proto: source.TCP, State: source.Listen, LocalPort: uint16(8080 + i)})
		s.Sockets = m.Room
		if err := w.Write(&m); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	p, err := recording.NewPlayer(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	r, err := p.Moments()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	for err = r.Next(&m); err == nil; err = r.Next(&m) {
		for _, s := range m.Snapshots {
			fmt.Println(m.Time.UTC().Format(time.TimeOnly), s.Scope.Kind, s.Scope.Name, s.Sockets[0].LocalPort, s.Sockets[0].State)
		}
	}
	fmt.Println("whole:", errors.Is(err, io.EOF) && !errors.Is(err, recording.ErrCut))
	// Output:
	// 12:00:00 container web 8080 LISTEN
	// 12:00:01 container web 8081 LISTEN
	// 12:00:02 container web 8082 LISTEN
	// whole: true
}
