package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v2"
	"golang.org/x/crypto/bcrypt"
)

// users is a web config with one user.
func users(t *testing.T, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return "basic_auth_users:\n  prometheus: '" + string(hash) + "'\n"
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A config is read again when that is asked for. One that is wrong leaves the one
// before in force, and who is to be let in is let in.
func TestReload(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the file itself is in force")
	}
	file := write(t, filepath.Join(t.TempDir(), "web.yml"), users(t, "first"))
	s := start(t, figure(), file)
	for _, step := range []struct {
		name, text, wrong, password string
	}{
		{"as it was", "", "", "first"},
		{"half a file", "basic_auth_us", "cannot unmarshal", "first"},
		{"another key", "colour: red\n", "field colour not found", "first"},
		{"a password that is no hash", "basic_auth_users:\n  prometheus: first\n", "hashedSecret too short", "first"},
		{"certificates that are not there", "tls_server_config:\n  cert_file: none.crt\n  key_file: none.key\n", "none.crt", "first"},
		{"another password", users(t, "second"), "", "second"},
	} {
		if step.text != "" {
			write(t, file, step.text)
		}
		if status, _ := ask(t, http.DefaultClient, "GET", "http://"+s.address+"/metrics", "prometheus:first"); step.password == "second" && status != 200 {
			t.Errorf("%s: before it is read, the status is %d", step.name, status)
		}
		err := s.Reload()
		if step.wrong == "" && err != nil || step.wrong != "" && (err == nil || !strings.Contains(err.Error(), step.wrong) || !strings.Contains(err.Error(), file)) {
			t.Errorf("%s: %v, want %q", step.name, err, step.wrong)
		}
		for password, want := range map[string]int{"first": 401, "second": 401, "": 401} {
			if password == step.password {
				want = 200
			}
			if status, _ := ask(t, http.DefaultClient, "GET", "http://"+s.address+"/metrics", "prometheus:"+password); status != want {
				t.Errorf("%s: with the password %q the status is %d, want %d", step.name, password, status, want)
			}
		}
	}
}

// Paths of certificates are those of the config's directory.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pool := certificate(t, dir)
	file := write(t, filepath.Join(dir, "web.yml"), "tls_server_config:\n  cert_file: host.crt\n  key_file: host.key\n")
	s := start(t, figure(), file)
	if !s.TLS() {
		t.Error("there is no TLS")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}}}
	if status, body := ask(t, client, "GET", "https://"+s.address+"/metrics", ""); status != 200 || !strings.Contains(body, "ephtop_level 2") {
		t.Errorf("%d %q", status, body)
	}
	write(t, file, users(t, "first"))
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "TLS is turned on and off at the start only") {
		t.Errorf("TLS that is turned off: %v", err)
	}
	write(t, file, "tls_server_config:\n  cert_file: host.crt\n  key_file: host.key\n"+users(t, "first"))
	if err := s.Reload(); err != nil {
		t.Error(err)
	}
	if status, _ := ask(t, client, "GET", "https://"+s.address+"/metrics", ""); status != 401 {
		t.Errorf("with users the status is %d", status)
	}
}

// certificate makes host.crt and host.key, and says whom to trust for them.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	crt := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	write(t, filepath.Join(dir, "host.crt"), string(crt))
	write(t, filepath.Join(dir, "host.key"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(crt)
	return pool
}

func TestAConfigThatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, want := range map[string]string{
		filepath.Join(dir, "none.yml"):                               "none.yml: no such file or directory",
		write(t, filepath.Join(dir, "half.yml"), "basic_auth_users"): "half.yml: yaml: ",
		write(t, filepath.Join(dir, "key.yml"), "tls: {}\n"):         "field tls not found",
		dir: filepath.Base(dir) + ": it is no regular file",
		write(t, filepath.Join(dir, "long.yml"), strings.Repeat("#", maxFile+1)): "long.yml: it is no file of less than 1 MB",
	} {
		if _, err := New(figure(), name, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// Whatever a config says, what is made of it says the same of all but its paths,
// which are absolute then.
func FuzzRooted(f *testing.F) {
	for _, text := range []string{
		"", "tls_server_config:\n  cert_file: a\n  key_file: /b\n", "basic_auth_users:\n  a: $2y$10$x\n", "http_server_config:\n  http2: false\n  headers: {X-Frame-Options: deny}\n",
		"rate_limit:\n  burst: 3\n  interval: 1s\n", "tls_server_config: [1]\n", "a: &a [*a]\n", "? [x]\n: y\n", "tls_server_config:\n  cert_file: 3\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		made, err := rooted([]byte(text), "/etc/ephtop")
		if err != nil {
			return
		}
		again, err := rooted(made, "/elsewhere")
		if err != nil || string(again) != string(made) {
			t.Fatalf("%q becomes %q, and that %q, %v", text, made, again, err)
		}
		var was, is struct {
			Rest map[string]any `yaml:",inline"`
		}
		if err := yaml.Unmarshal([]byte(text), &was); err != nil {
			return
		}
		if err := yaml.Unmarshal(made, &is); err != nil || len(is.Rest) > len(was.Rest) {
			t.Fatalf("%q becomes %q: %v", text, made, err)
		}
	})
}
