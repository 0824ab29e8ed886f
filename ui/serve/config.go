package serve

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v2"
)

// config is the web config that is in force. The toolkit reads the file anew for
// each request, so that one who edits it locks everybody out meanwhile. It is
// given a copy, which changes when it is told to, and to what is in order only.
type config struct {
	file string // "" for none
	tls  bool   // since the start: a listener can't be turned to it, nor from it
	copy *copyFile
	mu   sync.Mutex // of reload
}

func openConfig(file string) (*config, error) {
	c := &config{file: file}
	if file == "" {
		return c, nil
	}
	text, tls, err := readConfig(file)
	if err != nil {
		return nil, err
	}
	c.tls = tls
	c.copy, err = newCopyFile(file, text)
	return c, err
}

// path is where the toolkit finds the config, "" where there is none.
func (c *config) path() string {
	if c.copy == nil {
		return ""
	}
	return c.copy.path()
}

func (c *config) reload() error {
	if c.file == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	text, tls, err := readConfig(c.file)
	switch {
	case err != nil:
		return fmt.Errorf("%w: the one before stays in force", err)
	case tls != c.tls:
		return fmt.Errorf("web config %s: TLS is turned on and off at the start only: the one before stays in force", c.file)
	}
	return c.copy.replace(text)
}

// readConfig reads a web config and checks it. In the text that it gives, paths do
// not depend on where the config is.
func readConfig(file string) (text []byte, tls bool, err error) {
	fail := func(err error) ([]byte, bool, error) {
		if where := (*fs.PathError)(nil); errors.As(err, &where) && where.Path == file {
			err = where.Err
		}
		return nil, false, fmt.Errorf("web config %s: %w", file, err)
	}
	if text, err = readFile(file); err != nil {
		return fail(err)
	}
	var parsed web.Config
	if err := yaml.UnmarshalStrict(text, &parsed); err != nil {
		return fail(err)
	}
	if text, err = rooted(text, filepath.Dir(file)); err != nil {
		return fail(err)
	}
	parsed.TLSConfig.SetDirectory(filepath.Dir(file))
	if err := validate(file, text, &parsed.TLSConfig); err != nil {
		return fail(err)
	}
	return text, parsed.TLSConfig.IsEnabled(), nil
}

// validate has the toolkit check a config, which reads all files that are named in
// it: those that do not answer or do not end are not given to it.
func validate(file string, text []byte, c *web.TLSConfig) error {
	for _, name := range []string{c.TLSCertPath, c.TLSKeyPath, c.ClientCAs} {
		if name == "" {
			continue
		}
		if _, err := readFile(name); errors.Is(err, errUnfit) {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	copied, err := newCopyFile(file, text)
	if err != nil {
		return err
	}
	defer copied.close()
	return web.Validate(copied.path())
}

// maxFile is how long a config, or a file that it names, may be.
const maxFile = 1 << 20

// errUnfit says that a file is not read.
var errUnfit = errors.New("it is no")

// readFile reads a file that has an end, and waits for nobody: what is named may be
// a pipe or a device.
func readFile(name string) ([]byte, error) {
	mode := os.O_RDONLY
	if runtime.GOOS != "windows" {
		mode |= syscall.O_NONBLOCK
	}
	f, err := os.OpenFile(name, mode, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(err, fmt.Errorf("%w regular file", errUnfit))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(text) > maxFile {
		err = fmt.Errorf("%w file of less than 1 MB", errUnfit)
	}
	return text, err
}

// rooted puts a directory before the paths of a web config that are relative to it.
func rooted(text []byte, dir string) ([]byte, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	var doc struct {
		TLS  map[string]any `yaml:"tls_server_config,omitempty"`
		Rest map[string]any `yaml:",inline"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	for _, key := range []string{"cert_file", "key_file", "client_ca_file"} {
		if name, _ := doc.TLS[key].(string); name != "" && !filepath.IsAbs(name) {
			doc.TLS[key] = filepath.Join(dir, name)
		}
	}
	return yaml.Marshal(doc)
}
