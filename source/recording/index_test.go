package recording_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"ephtop/source"
	"ephtop/source/recording"
)

// body is a recording without its index, as one that was written before there
// were any.
func body(recorded []byte) []byte { return recorded[:len(recorded)-len(indexOf(recorded))] }

// indexOf is the index of a whole recording.
func indexOf(recorded []byte) []byte {
	n := binary.LittleEndian.Uint32(recorded[len(recorded)-9:])
	return recorded[len(recorded)-17-8*int(n):]
}

// indexed gives a recording an index that says where its frames begin.
func indexed(body []byte, starts ...int64) []byte {
	put := binary.LittleEndian.AppendUint32
	b := put(put(slices.Clone(body), 0x184d2a5e), uint32(8*len(starts)+9))
	ends := append(slices.Clone(starts), int64(len(body)))[min(1, len(starts)):]
	for i, at := range starts {
		b = put(put(b, uint32(ends[i]-at)), 0)
	}
	return put(append(put(b, uint32(len(starts))), 0), 0x8f92eab1)
}

func TestAnIndexSaysWhereTheFramesAre(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 60, 61, 400} {
		recorded := record(t, moments(3, 20, 2, n))
		list := recording.ReadIndex(recorded)
		if len(list) != 1+(n+59)/60 || !slices.Equal(list, recording.Frames(recorded)) || !slices.Equal(list, recording.Frames(body(recorded))) {
			t.Errorf("of %d moments: frames at %v, found without it at %v", n, list, recording.Frames(body(recorded)))
		}
		for i, end := range append(list[1:len(list):len(list)], int64(len(body(recorded)))) {
			text := unpack(t, recorded[list[i]:end])
			if size := binary.LittleEndian.Uint32(indexOf(recorded)[8+8*i+4:]); int(size) != len(text) {
				t.Errorf("of %d moments: frame %d is of %d bytes of text, want %d", n, i, size, len(text))
			}
		}
	}
}

// Whoever reads a recording with zstd sees nothing of an index.
func TestZstdSkipsAnIndex(t *testing.T) {
	t.Parallel()
	recorded := record(t, moments(3, 20, 2, 61))
	var texts [2]string
	for i, b := range [][]byte{recorded, body(recorded)} {
		zstd := exec.Command("zstd", "-dc")
		zstd.Stdin = bytes.NewReader(b)
		out, err := zstd.Output()
		if errors.Is(err, exec.ErrNotFound) {
			t.Skip("there is no zstd")
		}
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(out)
	}
	if texts[0] != texts[1] || !strings.HasSuffix(texts[0], `{"end":true,"moments":61}`+"\n") {
		t.Errorf("it ends with %.100q", texts[0][max(0, len(texts[0])-100):])
	}
}

// What is wrong with an index costs no more than the time to look for the frames.
func TestAnIndexThatIsWrongIsPassedOver(t *testing.T) {
	t.Parallel()
	written := moments(4, 20, 2, 150)
	recorded := record(t, written)
	whole, at := body(recorded), recording.ReadIndex(recorded)
	size := len(recorded) - len(whole)
	edit := func(from int, b ...byte) []byte {
		return slices.Replace(slices.Clone(recorded), len(whole)+from, len(whole)+from+len(b), b...)
	}
	for name, b := range map[string][]byte{
		"cut":                        recorded[:len(recorded)-1],
		"cut in its middle":          recorded[:len(recorded)-size/2],
		"something behind it":        append(slices.Clone(recorded), 0),
		"something before it":        append(append(slices.Clone(whole), 0), recorded[len(whole):]...),
		"another recording before":   append(slices.Clone(recorded), recorded...),
		"twice":                      append(slices.Clone(recorded), recorded[len(whole):]...),
		"of another format":          edit(size-5, 1),
		"with another beginning":     edit(0, 0x5f),
		"with another length":        edit(4, byte(size)),
		"with more frames":           edit(size-9, byte(len(at)+1)),
		"with as many as can be":     edit(size-9, 0xff, 0xff, 0xff, 0xff),
		"with none":                  indexed(whole),
		"an offset that is no frame": indexed(whole, at[0], at[1]+1, at[2]),
		"offsets that do not rise":   indexed(whole, at[0], at[2], at[1]),
		"one frame twice":            indexed(whole, at[0], at[1], at[1], at[2]),
		"an offset beyond the file":  indexed(whole, at[0], int64(len(recorded)+7)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if list := recording.ReadIndex(b); list != nil {
				t.Errorf("it says %v", list)
			}
			p := newPlayer(t, b)
			if p.Points() != len(at) && !strings.HasPrefix(name, "another") {
				t.Errorf("%d places to begin from, want %d", p.Points(), len(at))
			}
			wantMoments(t, p, written, 149, 0, 75, 60, 61, 59)
		})
	}
}

// wantMoments seeks moments, and wants them to be those that were written.
func wantMoments(t *testing.T, p *recording.Player, written []*source.Moment, numbers ...int) {
	t.Helper()
	for _, n := range numbers {
		var m source.Moment
		if err := p.Seek(written[n].Time); err != nil {
			t.Fatal(err)
		}
		if err := p.Poll(t.Context(), &m); err != nil {
			t.Fatal(err)
		}
		if d := differ(written[n], &m); d != "" {
			t.Errorf("moment %d: %s", n, d)
		}
	}
}

// An index may leave frames out, and list some from which reading can't begin:
// what is played is the same.
func TestAnIndexIsNotTrusted(t *testing.T) {
	t.Parallel()
	written := moments(5, 20, 2, 500)
	recorded := record(t, written)
	whole := body(recorded)
	at := recording.ReadIndex(recorded)
	split := splitFrames(t, whole)
	for name, b := range map[string][]byte{
		"all":             recorded,
		"some left out":   indexed(whole, at[0], at[1], at[4], at[5]),
		"the last of all": indexed(whole, at[0], at[len(at)-1]),
		"the first only":  indexed(whole, at[0]),
		"changes":         indexed(split, recording.Frames(split)...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if recording.ReadIndex(b) == nil {
				t.Fatal("the index is passed over")
			}
			p := newPlayer(t, b)
			first, last := p.Span()
			if !first.Equal(written[0].Time) || !last.Equal(written[499].Time) || p.End() != io.EOF {
				t.Errorf("from %v to %v, then %v", first, last, p.End())
			}
			wantMoments(t, p, written, 250, 251, 499, 0, 360, 359, 61)
		})
	}
}

// splitFrames packs each line of a recording in a frame of its own, so that few
// frames are places to begin from.
func splitFrames(t *testing.T, recorded []byte) (split []byte) {
	t.Helper()
	lines := strings.SplitAfter(unpack(t, recorded), "\n")
	for _, line := range lines {
		if line != "" {
			split = append(split, encoder().EncodeAll([]byte(line), nil)...)
		}
	}
	return split
}

// Of a recording with an index, only the ends are read to open it.
func TestOpeningReadsTheEnds(t *testing.T) {
	t.Parallel()
	recorded := record(t, moments(6, 40, 8, 3000))
	read := make(map[string]int64)
	for name, b := range map[string][]byte{"with": recorded, "without": body(recorded)} {
		m := &meter{ReaderAt: bytes.NewReader(b)}
		p, err := recording.NewPlayer(m, int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
		read[name] = m.bytes
	}
	if read["with"] > 200_000 || read["without"] < int64(len(recorded)) {
		t.Errorf("%d bytes of %d are read with an index, %d without", read["with"], len(recorded), read["without"])
	}
}
