package netns

import "errors"

// ErrGone says that a network namespace has ended.
var ErrGone = errors.New("the network namespace has ended")
