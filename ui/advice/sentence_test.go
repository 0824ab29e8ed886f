package advice_test

import (
	"testing"

	"ephtop/model"
	"ephtop/ui/advice"
)

func TestSentenceOfAHealthyHost(t *testing.T) {
	t.Parallel()
	o := &model.Overview{Findings: []model.Finding{{Problem: model.NoPooling}}}
	if s := advice.SentenceOf(o, nil); s.Level != model.LevelOK || s.Text != "nothing is wrong" || s.Finding != -1 {
		t.Errorf("what is worth knowing and no more is said first: %+v", s)
	}
}
