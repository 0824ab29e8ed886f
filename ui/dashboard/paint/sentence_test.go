package paint

import (
	"strings"
	"testing"

	"ephtop/ui/advice"
)

// The key that tells what to do stands beside what is wrong from 80 columns on:
// the pid makes room for it, but nothing is cut for it.
func TestTheKeyStandsBesideTheSentence(t *testing.T) {
	t.Parallel()
	long := advice.Sentence{
		Text:  "api (pid 3120) finds no port to 10.0.9.2:5432: 10,723 connects have failed",
		Brief: "api finds no port to 10.0.9.2:5432: 10,723 connects have failed",
	}
	cut := advice.Sentence{Text: long.Text, Brief: long.Text}
	for _, test := range []struct {
		s     advice.Sentence
		width int
		want  string
	}{
		{long, 80, "· " + long.Brief + "        f fix"},
		{long, 90, "· " + long.Text + "       f fix"},
		{long, 100, "· " + long.Text + "          f what to do"},
		{cut, 80, "· " + long.Text},
	} {
		v := sampleView(test.width, 24)
		v.Sentence = test.s
		if got := strings.TrimSpace(strings.Split(plain().Frame(v), "\n")[1]); got != test.want {
			t.Errorf("%d columns:\n got %q\nwant %q", test.width, got, test.want)
		}
	}
}
