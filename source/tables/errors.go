package tables

import "errors"

// ErrUnsupported is wrapped by what Load says where no right would help: the
// system, the processor or the kernel is not one whose tables can be read.
var ErrUnsupported = errors.New("the kernel's socket tables can't be read here")

// ErrOverflow is wrapped by what Walk says where the tables are larger than
// anything that was thought of: thousands of namespaces, or a chain without an
// end. What was found then is not all.
var ErrOverflow = errors.New("the kernel's socket tables are too large")
