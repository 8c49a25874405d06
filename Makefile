# make help prints a line for each target.
MVN := mvn -B -ntp

.PHONY: setup build test demo-host clean help

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing (apt, as root)
	@testing/setup.sh

build: setup ## compile, and make bin/tb ready
	$(MVN) -q package -DskipTests

test: setup ## set up, build, and run every test (root, for BPF and network namespaces)
	@clang-format --dry-run -Werror bpf/*.c bpf/*.h
	$(MVN) verify

demo-host: build ## limit traffic between two network namespaces on this machine, without a cluster
	@testing/demo-host.sh

clean: ## remove what builds made
	rm -rf target */target
