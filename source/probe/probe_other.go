//go:build !linux

package probe

import (
	"context"
	"errors"

	"ephtop/source"
)

var errSystem = errors.New("this system cannot give a socket a range of ports of its own (Linux 6.3 can)")

// Supported returns why connect() can't be asked here, or nil.
func Supported() error { return errSystem }

// Ports returns the usable ports that are blocked for everyone.
func Ports(context.Context, *source.Scope, string, *source.Settings) ([]uint16, error) {
	return nil, errSystem
}
