package portable

import (
	"context"
	"os"
	"testing"
)

func TestStartOf(t *testing.T) {
	own, err := newDescriber().start(context.Background(), int32(os.Getpid()))
	if err != nil || own == 0 {
		t.Errorf("this process: %d, %v", own, err)
	}
	if _, err := newDescriber().start(context.Background(), -1); !os.IsNotExist(err) {
		t.Errorf("no process: %v, want not-exist", err)
	}
}
