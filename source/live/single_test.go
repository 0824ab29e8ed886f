package live

import (
	"context"
	"testing"

	"ephtop/source"
)

// scopes is a source whose moments are about one namespace after the other.
type scopes []source.Scope

func (s *scopes) Poll(_ context.Context, m *source.Moment) error {
	m.Reset()
	if scope := (*s)[0]; scope.Netns != 0 {
		m.Add(scope)
	}
	*s = (*s)[1:]
	return nil
}

func (*scopes) Close() error { return nil }

// What has the number, or the name, of the namespace that was asked for is
// another one once that has ended.
func TestSingle(t *testing.T) {
	t.Parallel()
	first := source.Scope{Netns: 7, Cookie: 1}
	for _, test := range []struct {
		name string
		then source.Scope
		ends bool
	}{
		{"the same", first, false},
		{"nothing is seen of it", source.Scope{}, false},
		{"its cookie is not known", source.Scope{Netns: 7}, false},
		{"another of its number", source.Scope{Netns: 7, Cookie: 2}, true},
		{"another of its name", source.Scope{Netns: 8, Cookie: 2}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			src := &single{Source: &scopes{first, test.then, first}, name: "web"}
			var m source.Moment
			if err := src.Poll(context.Background(), &m); err != nil {
				t.Fatal(err)
			}
			err := src.Poll(context.Background(), &m)
			if want := `network namespace "web": the network namespace has ended`; test.ends != (err != nil) || err != nil && err.Error() != want {
				t.Errorf("error %v, want it to end: %v", err, test.ends)
			}
		})
	}
}
