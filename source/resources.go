package source

// Resources are what a host runs out of beside ports.
type Resources struct {
	Status
	// Descriptors are those of the processes that hold the most sockets.
	Descriptors []Descriptors `json:"descriptors"`
	// Files are the open files of the whole host, and MaxFiles is how many there
	// can be (fs.file-nr); both 0 where not known.
	Files    int `json:"files"`
	MaxFiles int `json:"max_files"`
}

// Descriptors are the open files of one process.
type Descriptors struct {
	PID  int32  `json:"pid"`
	Name string `json:"name"`
	Open int    `json:"open"`
	// Limit is how many there can be (RLIMIT_NOFILE), 0 for any number.
	Limit int `json:"limit"`
	// Runtime is that of the program where its file says so, as "go1.26.0".
	Runtime string `json:"runtime,omitempty"`
}
