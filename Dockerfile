# The images of Tokenbucket: `--target operator`, `--target agent`, and `--target agent-clang`, an
# agent that can also compile the classifier on its node. `make images` builds them from what
# `make build` left in the modules' target folders.
#
# BASE_IMAGE is any image with a JRE from 17 on; where it lacks libbpf (and clang, for agent-clang),
# apt installs it. Give one SOURCE_DATE_EPOCH as build argument and to the builder (buildah:
# --timestamp), and equal input gives equal layers.
ARG BASE_IMAGE=docker.io/library/eclipse-temurin:25-jre@sha256:5cf92df78f6dba978777d5cffa3c856e583f86814fde82a6c3534ccdfd794f2f

FROM ${BASE_IMAGE} AS java
USER 0:0

FROM java AS agent-base
RUN ldconfig -p | grep -q 'libbpf\.so\.1 ' || { \
      apt-get update \
      && apt-get install -y --no-install-recommends libbpf1 \
      && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/ldconfig/*; \
    }

# tb is a script for java and the jar that java runs in one file: neither a shell nor a second JVM
# comes in between. An archive of class data names the jars' times, so they are set before.
FROM agent-base AS agent-layout
ARG VERSION
ARG SOURCE_DATE_EPOCH=0
WORKDIR /opt/tokenbucket
COPY node-agent/target/lib lib
COPY node-agent/target/tokenbucket-node-agent-${VERSION}.jar /tmp/tb.jar
COPY bin/tb.options ./
COPY deploy/images/agent.classes deploy/images/class-data.sh /tmp/
RUN { printf '#!%s @/opt/tokenbucket/tb.options\n' "$(readlink -f "$(command -v java)")"; cat /tmp/tb.jar; } >tb \
    && chmod 0755 tb \
    && printf '%s\n' -XX:SharedArchiveFile=/opt/tokenbucket/tb.jsa -jar >>tb.options \
    && find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} + \
    && sh /tmp/class-data.sh /tmp/agent.classes /opt/tokenbucket/tb /opt/tokenbucket/tb.jsa

FROM agent-base AS agent-common
ARG VERSION
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Tokenbucket node agent" \
      org.opencontainers.image.description="Limits a node's traffic with token buckets in the kernel" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/tokenbucket:$PATH MALLOC_ARENA_MAX=1
ENTRYPOINT ["/opt/tokenbucket/tb"]
CMD ["agent"]

FROM agent-common AS agent-clang
RUN command -v clang >/dev/null && [ -e /usr/include/bpf/bpf_helpers.h ] || { \
      apt-get update \
      && apt-get install -y --no-install-recommends clang libbpf-dev \
      && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/ldconfig/*; \
    }
COPY --from=agent-layout /opt/tokenbucket /opt/tokenbucket

FROM agent-common AS agent
COPY --from=agent-layout /opt/tokenbucket /opt/tokenbucket

FROM java AS operator-layout
ARG SOURCE_DATE_EPOCH=0
WORKDIR /opt/tokenbucket
COPY operator/target/quarkus-app ./
COPY deploy/images/operator.options ./
COPY deploy/images/operator.classes deploy/images/class-data.sh /tmp/
RUN find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} + \
    && sh /tmp/class-data.sh /tmp/operator.classes /opt/tokenbucket/quarkus-run.jar /opt/tokenbucket/operator.jsa

FROM java AS operator
ARG VERSION
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Tokenbucket operator" \
      org.opencontainers.image.description="Tells each node's agent which limits apply to it" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=operator-layout /opt/tokenbucket /opt/tokenbucket
ENV MALLOC_ARENA_MAX=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["java", "@/opt/tokenbucket/operator.options"]
