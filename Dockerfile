# syntax=docker/dockerfile:1
# Two stages: one builds with the whole toolchain, the other holds only what `switchyard serve` runs on.
FROM node:22-bookworm-slim AS build
WORKDIR /app
# The CUDA libraries are a download of several hundred megabytes that a CPU image never uses.
ENV ONNXRUNTIME_NODE_INSTALL_CUDA=skip
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build \
 && npm prune --omit=dev \
 && find node_modules/onnxruntime-node/bin -mindepth 2 -maxdepth 2 -type d ! -name linux -exec rm -rf {} +

FROM node:22-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY proto ./proto
COPY models ./models
# A fresh named volume takes over the owner of the folder that it covers.
RUN mkdir /bootstrap && chown 1000:1000 /bootstrap
# uid 1000 ships with the base image; a number lets Kubernetes check runAsNonRoot.
USER 1000
EXPOSE 50051 8080 9190
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/cli/main.js"]
# In a container the ports are reached from outside it; publish only those that you mean to.
CMD ["serve", "--config", "/etc/switchyard/config.yaml", "--http", "0.0.0.0:8080", "--metrics", "0.0.0.0:9190"]
