# Image of the agent: Node 24 without shell and package manager, and the files that `npm run image-tree` writes. The base
# images have no defaults: name them with your registry, and by digest as in releases.
#
#   docker build --tag tautline \
#     --build-arg GO_IMAGE=<registry>/golang:1.26-bookworm@sha256:<digest> \
#     --build-arg BUILD_IMAGE=<registry>/node:24-bookworm-slim@sha256:<digest> \
#     --build-arg RUNTIME_IMAGE=<registry>/nodejs24-debian12:nonroot@sha256:<digest> .

ARG GO_IMAGE
ARG BUILD_IMAGE
ARG RUNTIME_IMAGE

# The program by which the kernel confines the processes that read repositories.
FROM ${GO_IMAGE} AS landlock
WORKDIR /landlock
COPY src/sandbox/landlock ./
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /tautline-landlock .

# The program that renders charts. Go checks the module against its checksum database, and the sum is pinned here.
FROM ${GO_IMAGE} AS helm
ARG HELM_VERSION=v4.3.1
ARG HELM_SUM=h1:UndCoLe9UPmNoL7IvWzaUXveL7T5t/ijoorEmgJdI9g=
RUN go mod download -json helm.sh/helm/v4@${HELM_VERSION} | grep -F "\"Sum\": \"${HELM_SUM}\""
RUN CGO_ENABLED=0 GOBIN=/bin-helm go install -trimpath \
    -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=${HELM_VERSION}" \
    helm.sh/helm/v4/cmd/helm@${HELM_VERSION}

# The program that opens sealed files, in the same way.
FROM ${GO_IMAGE} AS sops
ARG SOPS_VERSION=v3.13.3
ARG SOPS_SUM=h1:saYczbT88kD1saNChe1cAbFQe5mrRhTIfEw3TaEcmK0=
RUN go mod download -json github.com/getsops/sops/v3@${SOPS_VERSION} | grep -F "\"Sum\": \"${SOPS_SUM}\""
RUN CGO_ENABLED=0 GOBIN=/bin-sops go install -trimpath -ldflags "-s -w" \
    github.com/getsops/sops/v3/cmd/sops@${SOPS_VERSION}

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-progress
COPY LICENSE tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run image-tree -- /tautline

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="tautline" \
      org.opencontainers.image.description="A GitOps agent that keeps a Kubernetes cluster taut to a Git repository" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
WORKDIR /app
# The files are owned by root, so that the agent can read its code but not change it.
COPY --from=build --chown=0:0 /tautline /app
COPY --from=landlock --chown=0:0 /tautline-landlock /usr/local/bin/tautline-landlock
COPY --from=helm --chown=0:0 /bin-helm/helm /usr/local/bin/helm
COPY --from=sops --chown=0:0 /bin-sops/sops /usr/local/bin/sops
ENV TAUTLINE_LANDLOCK_PROGRAM=/usr/local/bin/tautline-landlock
ENV TAUTLINE_HELM=/usr/local/bin/helm
ENV TAUTLINE_SOPS=/usr/local/bin/sops
USER 65532:65532
EXPOSE 8080 8081 8082
# The process is Node and not npm, so that it receives signals.
ENTRYPOINT ["/nodejs/bin/node", "--disable-sigusr1", "/app/dist/cli.js"]
CMD ["agent"]
