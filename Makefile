GO ?= go
TOOL = $(GO) tool -modfile=tools/go.mod

.DEFAULT_GOAL := help
.PHONY: help demo build test generate lint bench clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: build ## build and serve a made-up team (ARGS="--addr HOST:PORT")
	./bin/onrecord demo $(ARGS)

build: ## build bin/onrecord; needs only Go
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/onrecord ./cmd/onrecord

test: ## install what the tests need, then run all of them with the race detector
	./scripts/test-setup
	TMPDIR=$$(./scripts/test-tmp) $(GO) test -race -timeout 30m ./...
	@set -e; for mod in examples/*/go.mod; do \
		[ -e "$$mod" ] || continue; \
		echo "$(GO) test -race ./... # in $$(dirname $$mod)"; \
		(cd "$$(dirname $$mod)" && $(GO) test -race -timeout 10m ./...); \
	done

generate: ## renew generated code
	$(TOOL) templ generate
	$(GO) generate ./...

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(git ls-files -z --cached --others --exclude-standard --deduplicate -- '*.go' | xargs -0 ls -d 2>/dev/null | xargs gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

bench: build ## the figures that README quotes (ARGS="--events N")
	./bin/onrecord bench --format table $(ARGS)

clean: ## remove what was built
	rm -rf bin
