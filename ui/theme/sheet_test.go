package theme

import (
	"regexp"
	"testing"

	"github.com/muesli/termenv"
)

// Every word can be read on every sheet, and every bar seen.
func TestContrastOnSheets(t *testing.T) {
	t.Parallel()
	for _, name := range Names() {
		s, err := SheetByName(name)
		if err != nil {
			t.Fatal(err)
		}
		of := func(role Role) float64 {
			ground, ink := colourOf(termenv.TrueColor, s.Ground, rgb{}), colourOf(termenv.TrueColor, s.Ink, rgb{})
			w := s.Roles[role]
			return contrast(colourOf(termenv.TrueColor, w.Fore, ink), colourOf(termenv.TrueColor, w.Back, ground))
		}
		for _, role := range words {
			if c := of(role); c < wordContrast {
				t.Errorf("%s: words of role %d have a contrast of %.1f", name, role, c)
			}
		}
		for _, role := range graphics {
			if c := of(role); c < graphicContrast {
				t.Errorf("%s: bars of role %d have a contrast of %.1f", name, role, c)
			}
		}
	}
}

func TestSheet(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^#[0-9a-f]{6}$`)
	for _, name := range append(Names(), "") {
		s, err := SheetByName(name)
		if err != nil {
			t.Fatal(err)
		}
		colours := append([]string{s.Ground, s.Ink}, s.Palette[:]...)
		for _, w := range s.Roles {
			for _, c := range []string{w.Fore, w.Back} {
				if c != "" {
					colours = append(colours, c)
				}
			}
		}
		for _, c := range colours {
			if !form.MatchString(c) {
				t.Errorf("%s has the colour %q", s.Name, c)
			}
		}
		if s.Roles[Exhausted].Back == "" {
			t.Errorf("%s: exhaustion is told by its colour alone", s.Name)
		}
	}
	if dark, _ := SheetByName(""); dark.Name != "default" || dark.Ground != night.Ground {
		t.Errorf("the default is %s on %s", dark.Name, dark.Ground)
	}
	if light, _ := SheetByName("LIGHT"); light.Ground != "#ffffff" {
		t.Errorf("light is on %s", light.Ground)
	}
	if _, err := SheetByName("pink"); err == nil {
		t.Error("there is a pink sheet")
	}
}
