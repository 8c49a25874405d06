# make help prints a line for each target.
MVN := mvn -B -ntp
DEMO := java -cp "testing/target/*:testing/target/lib/*" dev.tokenbucket.testing.Demo
SCALE := java -Xmx3g -cp "testing/target/*:testing/target/lib/*" dev.tokenbucket.testing.scale.ScaleBench
BENCH := java -cp "testing/target/*:testing/target/lib/*" dev.tokenbucket.testing.bench.Bench

# JDK=25 builds and tests with that JDK; testing/jdk.sh finds it.
ifdef JDK
JAVA_HOME := $(shell testing/jdk.sh $(JDK))
$(if $(JAVA_HOME),,$(error JDK=$(JDK) is not installed))
export JAVA_HOME
export PATH := $(JAVA_HOME)/bin:$(PATH)
# On newer JDKs Spotless asks for another formatter, so only 17 checks the format of Java.
ifneq ($(JDK),17)
MVN += -Dspotless.check.skip=true
endif
endif

.PHONY: setup control-plane helm build images dist sbom lint test test-jdks test-faults e2e fuzz demo demo-stop demo-host bench bench-scale crds manifests clean help

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing (apt, as root)
	@testing/setup.sh

control-plane: setup ## build kube-apiserver and kubectl, once per machine (needs Go, or KUBEBUILDER_ASSETS)
	@testing/controlplane/build.sh >/dev/null

helm: setup ## build helm, once per machine (needs Go, or HELM)
	@testing/helm/build.sh >/dev/null

build: setup ## compile, and make bin/tb ready
	$(MVN) -q package -DskipTests

images: build ## the images of operator and agent, as archives in testing/target/images (root, for buildah)
	@deploy/images/build.sh testing/target/images

dist: build ## what a host without a cluster needs, and the kubectl plugin, as archives in target/dist
	@deploy/host/build.sh target/dist
	@deploy/krew/build.sh target/dist

lint: setup ## check scripts, spelling and wording (builds vale once per machine; needs Go, or VALE)
	@testing/lint.sh

test: setup control-plane helm lint ## set up, build, and run every test (root, for BPF and network namespaces; JDK=25 takes another JDK)
	@clang-format --dry-run -Werror bpf/*.c bpf/*.h
	@clang-format --style=file:bpf/.clang-format --dry-run -Werror testing/src/main/bpf/*.c
	$(MVN) verify
	@deploy/sbom.sh target/sbom

test-jdks: ## make test with each of the JDKs 17, 21 and 25 that is installed
	@testing/jdk.sh all test

test-faults: build ## kill the agent at each of its system calls, fail them, change policies 1,000 times (root; about an hour, two on a busy machine, and nothing else that uses BPF)
	$(MVN) verify -pl node-agent,testing -am -Dtest='CrashPointsTest,*Faults' -Dsurefire.failIfNoSpecifiedTests=false -Dcrash.stride=4 -Dfaults.minutes=60

e2e: ## install, upgrade, break and remove it on two real nodes (root; builds the nodes' parts, once per machine)
	@testing/setup.sh e2e
	@testing/controlplane/build.sh nodes >/dev/null
	@testing/helm/build.sh >/dev/null
	$(MVN) verify -pl testing -am -Dtest='*E2E' -Dsurefire.failIfNoSpecifiedTests=false

fuzz: setup ## ten million mutated packets at the loaded classifier (root; some minutes)
	$(MVN) verify -pl node-agent -am -Dtest=FuzzTest -Dsurefire.failIfNoSpecifiedTests=false -Dfuzz.packets=10000000

demo: build control-plane ## from kubectl apply to packets limited by the kernel (KEEP=1 leaves the cluster running)
	@KEEP=$(KEEP) $(DEMO) cluster

demo-stop: build ## end the cluster that make demo KEEP=1 left running
	@$(DEMO) stop

demo-host: build ## the same limits on one host, from files, without a cluster
	@$(DEMO) host

bench: build ## measure what a packet costs, beside other limiters; minutes (PAGE=docs/performance.md takes the tables)
	@$(BENCH) $(if $(PAGE),--page $(PAGE)) $(BENCH_OPTIONS)

bench-scale: build control-plane ## the operator over 1,000 and 5,000 nodes; then 2 minutes of changes on 5,000, 30 % of them silent, with the operator killed every 10 s
	@$(SCALE) $(if $(PAGE),--page $(PAGE)) $(SCALE_OPTIONS)
	$(MVN) -q -pl testing -am verify -Dtest=ConvergenceTest -Dsurefire.failIfNoSpecifiedTests=false \
	  -Dconvergence.nodes=$(or $(CONVERGENCE_NODES),5000) -Dconvergence.seconds=120

crds: setup ## make the CRDs under crds/ from the API's types
	$(MVN) -q -pl crds test -Dtest=CrdStalenessTest -Dcrds.update=true

manifests: setup helm ## make the plain manifests, and the chart's copies of CRDs and table of values
	$(MVN) -q -pl testing -am test -Dtest=ChartStalenessTest -Dsurefire.failIfNoSpecifiedTests=false -Dmanifests.update=true

clean: ## remove what builds made
	rm -rf target */target
