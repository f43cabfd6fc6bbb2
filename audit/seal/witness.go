package seal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// WitnessServer keeps, for each log, the last checkpoint that it has cosigned, and
// cosigns another one only if it extends that (C2SP tlog-witness).
type WitnessServer struct {
	name   string
	key    Key
	logs   []LogKey
	folder string
	now    func() time.Time

	mu sync.Mutex // held from reading a log's last checkpoint to having replaced it
}

// NewWitnessServer gives a witness that keeps its state in a folder, one file
// a log. One process at a time may use the folder.
func NewWitnessServer(folder string, key NamedKey, logs []LogKey, now func() time.Time) (*WitnessServer, error) {
	if len(logs) == 0 {
		return nil, errors.New("a witness needs the verifier key of at least one log")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the witness: %w", err)
	}
	return &WitnessServer{name: key.Name, key: key.Key, logs: logs, folder: folder, now: now}, nil
}

// Witness is the public half: what those who trust it need.
func (w *WitnessServer) Witness() Witness { return w.key.Witness(w.name) }

// Refusal is why a witness does not cosign. Status is the HTTP status that
// C2SP tlog-witness gives the reason.
type Refusal struct {
	Status  int
	Size    int64 // with Status 409: of the last checkpoint that it has cosigned
	Message string
}

func (r *Refusal) Error() string { return r.Message }

func refuse(status int, format string, args ...any) error {
	return &Refusal{Status: status, Message: fmt.Sprintf(format, args...)}
}

// Add cosigns a checkpoint and gives the lines of signatures. What it has
// cosigned is durable before it returns. Errors: *[Refusal]; anything else is
// a fault of its store.
func (w *WitnessServer) Add(old int64, proof tlog.TreeProof, msg []byte) (lines string, err error) {
	c, err := w.open(msg)
	if err != nil {
		return "", err
	}
	if old > c.Size {
		return "", refuse(http.StatusBadRequest, "the old size %d is larger than the checkpoint's %d", old, c.Size)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last, err := w.last(c.Origin)
	if err != nil {
		return "", err
	}
	if old != last.Size {
		return "", &Refusal{http.StatusConflict, last.Size, fmt.Sprintf("the last checkpoint cosigned has size %d, not %d", last.Size, old)}
	}
	if old == c.Size && last.Root != c.Root {
		return "", &Refusal{http.StatusConflict, last.Size, fmt.Sprintf("the checkpoint of size %d that was cosigned has another root", last.Size)}
	}
	if err := CheckConsistency(proof, last, c); err != nil {
		return "", refuse(http.StatusUnprocessableEntity, "%v", err)
	}
	if lines, err = Cosign(msg, w.key, w.name, w.now()); err != nil {
		return "", err
	}
	return lines, w.keep(c.Origin, msg)
}

// open checks whose checkpoint it is and who signed it.
func (w *WitnessServer) open(msg []byte) (Checkpoint, error) {
	s, err := Open(msg, w.logs, nil)
	if s.Origin == "" {
		return s.Checkpoint, refuse(http.StatusBadRequest, "%v", err)
	}
	for _, k := range w.logs {
		if _, _, unknown := k.For(s.Origin); unknown == nil {
			if err != nil {
				return s.Checkpoint, refuse(http.StatusForbidden, "%v", err)
			}
			return s.Checkpoint, nil
		}
	}
	return s.Checkpoint, refuse(http.StatusNotFound, "the log %s is not known here", clip(s.Origin))
}

// last is the last checkpoint of a log that was cosigned; the empty tree's if
// there is none.
func (w *WitnessServer) last(origin string) (Checkpoint, error) {
	msg, err := os.ReadFile(w.path(origin))
	if errors.Is(err, fs.ErrNotExist) {
		return Checkpoint{Origin: origin, Root: new(Tree).Root()}, nil
	}
	if err != nil {
		return Checkpoint{}, err
	}
	text, err := noteText(msg)
	if err == nil {
		var c Checkpoint
		if c, err = ParseCheckpoint(text); err == nil && c.Origin == origin {
			return c, nil
		}
	}
	return Checkpoint{}, fmt.Errorf("the file %s is not the last checkpoint of %s: put it back from a backup", w.path(origin), origin)
}

// path is where the last checkpoint of a log is kept.
func (w *WitnessServer) path(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return filepath.Join(w.folder, hex.EncodeToString(sum[:])+".checkpoint")
}

// keep replaces the last checkpoint, all or nothing, and makes it durable.
func (w *WitnessServer) keep(origin string, msg []byte) error {
	path := w.path(origin)
	f, err := os.CreateTemp(w.folder, "new.*")
	if err != nil {
		return err
	}
	_, err = f.Write(msg)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(path)
}

// maxProof is how many hashes a proof may have (C2SP tlog-witness).
const maxProof = 63

// formatAdd writes the body of a request.
func formatAdd(old int64, proof tlog.TreeProof, msg []byte) []byte {
	b := fmt.Appendf(nil, "old %d\n", old)
	for _, h := range proof {
		b = fmt.Appendf(b, "%s\n", h)
	}
	return append(append(b, '\n'), msg...)
}

// parseAdd reads the body of a request.
func parseAdd(body string) (old int64, proof tlog.TreeProof, msg []byte, err error) {
	head, rest, ok := strings.Cut(body, "\n\n")
	if !ok {
		return 0, nil, nil, errors.New("there is no empty line before a checkpoint")
	}
	lines := strings.Split(head, "\n")
	size, ok := strings.CutPrefix(lines[0], "old ")
	if !ok {
		return 0, nil, nil, errors.New(`the first line is not "old" and a size`)
	}
	if old, err = parseSize(size); err != nil {
		return 0, nil, nil, err
	}
	if len(lines)-1 > maxProof {
		return 0, nil, nil, fmt.Errorf("a proof has at most %d hashes, this has %d", maxProof, len(lines)-1)
	}
	for _, l := range lines[1:] {
		h, err := parseHash(l)
		if err != nil {
			return 0, nil, nil, err
		}
		proof = append(proof, h)
	}
	return old, proof, []byte(rest), nil
}
