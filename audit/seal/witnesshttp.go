package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	addPath  = "/add-checkpoint"
	sizeType = "text/x.tlog.size"
	maxAdd   = MaxNote + 8<<10 // a request or an answer, in bytes
)

// Handler answers add-checkpoint (C2SP tlog-witness). What it refuses because
// a log was rewritten it also logs: that is proof of misbehaviour.
func (w *WitnessServer) Handler(logger *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+addPath, func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxAdd))
		if err != nil {
			http.Error(rw, "the request cannot be read, or is too long", http.StatusBadRequest)
			return
		}
		old, proof, msg, err := parseAdd(string(body))
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		lines, err := w.Add(old, proof, msg)
		if err != nil {
			w.answer(rw, logger, msg, err)
			return
		}
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(rw, lines)
	})
	return mux
}

func (w *WitnessServer) answer(rw http.ResponseWriter, logger *slog.Logger, msg []byte, err error) {
	r, ok := errors.AsType[*Refusal](err)
	if !ok {
		logger.Error("cosigning", "error", err)
		http.Error(rw, "the witness cannot keep what it would cosign", http.StatusInternalServerError)
		return
	}
	if r.Status == http.StatusConflict {
		rw.Header().Set("Content-Type", sizeType)
		rw.WriteHeader(r.Status)
		fmt.Fprintf(rw, "%d\n", r.Size)
	} else {
		http.Error(rw, r.Message, r.Status)
	}
	if r.Status == http.StatusUnprocessableEntity || r.Status == http.StatusConflict && strings.Contains(r.Message, "root") {
		logger.Warn("not cosigned: the log was rewritten", "reason", r.Message, "checkpoint", string(msg))
	}
}

// WitnessClient asks a witness to cosign.
type WitnessClient struct {
	URL     string // the submission prefix, such as https://witness.example.com
	Witness Witness
	HTTP    *http.Client // nil is one that waits ten seconds for an answer
}

// ParseWitnessClient reads URL=VKEY, as the command line gives it.
func ParseWitnessClient(text string) (*WitnessClient, error) {
	at, vkey, ok := strings.Cut(text, "=")
	if !ok {
		return nil, fmt.Errorf("%q is not URL=VKEY, such as https://witness.example.com=name+hash+key", clip(text))
	}
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is no address of a witness: it begins with http:// or https://", clip(at))
	}
	w, err := ParseWitness(vkey)
	if err != nil {
		return nil, err
	}
	return &WitnessClient{URL: strings.TrimSuffix(at, "/"), Witness: w}, nil
}

var witnessHTTP = &http.Client{Timeout: 10 * time.Second}

// AheadError says that a witness has seen more of a log than there is: the log
// was cut off, or set back to an older state.
type AheadError struct{ Size int64 }

func (e *AheadError) Error() string {
	return fmt.Sprintf("the witness has cosigned %d leaves, more than there are", e.Size)
}

// Gather has a signed checkpoint cosigned, given the size of the last one that
// the witness is believed to have cosigned, and gives the line of its
// signature. Errors: [ErrNotConsistent] if the witness has seen another history
// of the log; *[AheadError]; *[Refusal]; anything else is that it cannot be
// reached or answers nonsense.
func (c *WitnessClient) Gather(ctx context.Context, seen int64, hashes tlog.HashReader, msg []byte) (Cosignature, string, error) {
	text, err := noteText(msg)
	if err != nil {
		return Cosignature{}, "", err
	}
	cp, err := ParseCheckpoint(text)
	if err != nil {
		return Cosignature{}, "", err
	}
	for range 3 { // each time the witness has said what it saw last
		seen = min(seen, cp.Size)
		proof, err := ProveConsistency(seen, cp.Size, hashes)
		if err != nil {
			return Cosignature{}, "", fmt.Errorf("proving that %d leaves extend %d: %w", cp.Size, seen, err)
		}
		lines, err := c.add(ctx, seen, proof, msg)
		r, refused := errors.AsType[*Refusal](err)
		switch {
		case err == nil:
			_, cosig, line, err := AddCosignature(msg, c.Witness, lines)
			return cosig, line, err
		case !refused:
			return Cosignature{}, "", err
		case r.Status == http.StatusUnprocessableEntity:
			return Cosignature{}, "", ErrNotConsistent
		case r.Status != http.StatusConflict:
			return Cosignature{}, "", err
		case r.Size > cp.Size:
			return Cosignature{}, "", &AheadError{r.Size}
		case r.Size == seen:
			return Cosignature{}, "", ErrNotConsistent // it has another root
		}
		seen = r.Size
	}
	return Cosignature{}, "", errors.New("the witness says a different size each time: somebody else has it cosign the same log")
}

// add is one request. Errors: *[Refusal]; anything else is that it cannot be
// reached.
func (c *WitnessClient) add(ctx context.Context, old int64, proof tlog.TreeProof, msg []byte) (lines string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+addPath, bytes.NewReader(formatAdd(old, proof, msg)))
	if err != nil {
		return "", err
	}
	client := c.HTTP
	if client == nil {
		client = witnessHTTP
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAdd))
	if err != nil {
		return "", err
	}
	if res.StatusCode == http.StatusOK {
		return string(body), nil
	}
	r := &Refusal{Status: res.StatusCode, Message: fmt.Sprintf("the witness %s answers %s: %s", c.Witness.Name, res.Status, clip(strings.TrimSpace(string(body))))}
	if res.StatusCode == http.StatusConflict {
		if r.Size, err = parseSize(strings.TrimSuffix(string(body), "\n")); err != nil {
			return "", fmt.Errorf("the witness %s answers %s without the size that it knows", c.Witness.Name, res.Status)
		}
	}
	return "", r
}
