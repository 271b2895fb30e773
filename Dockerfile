# syntax=docker/dockerfile:1
# One image for everything: the command chooses what runs.
#   API      node service/dist/start/api.js          worker   node service/dist/start/worker.js
#   migrate  node service/dist/start/migrate.js      Fargate  node sfn/dist/fargate/main.js
#   Step Functions on one machine: node service/dist/start/workflow.js
#   all in one process, on embedded services (the default): node service/dist/start/main.js
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/root/.npm npm run build

# What runs: no development dependencies, no sources, and not the Node that the project brings along for hosts without one.
FROM ${NODE_IMAGE} AS production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY compute/package.json compute/
COPY backing/package.json backing/
COPY api/package.json api/
COPY worker/package.json worker/
COPY sfn/package.json sfn/
COPY service/package.json service/
COPY service/bin service/bin
COPY bench/package.json bench/
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --omit=optional --ignore-scripts --workspace=@factorial/service --workspace=@factorial/sfn

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="factorial" \
      org.opencontainers.image.description="Exact factorials as a service" \
      org.opencontainers.image.licenses="MIT AND LGPL-3.0-only"
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/data
WORKDIR /app
RUN mkdir --mode=0750 /data && chown 10001:10001 /data
COPY --from=production /app/node_modules node_modules
COPY package.json LICENSE ./
COPY --from=build /app/compute/package.json compute/
COPY --from=build /app/compute/dist compute/dist
COPY --from=build /app/compute/build compute/build
COPY --from=build /app/backing/package.json backing/
COPY --from=build /app/backing/dist backing/dist
COPY --from=build /app/api/package.json api/
COPY --from=build /app/api/dist api/dist
COPY --from=build /app/api/web api/web
COPY --from=build /app/worker/package.json worker/
COPY --from=build /app/worker/dist worker/dist
COPY --from=build /app/sfn/package.json sfn/
COPY --from=build /app/sfn/dist sfn/dist
COPY --from=build /app/sfn/definition sfn/definition
COPY --from=build /app/service/package.json service/
COPY --from=build /app/service/dist service/dist
USER 10001:10001
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
# The worker answers on a port of its own, the others on PORT.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.WORKER_HEALTH_PORT || process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "service/dist/start/main.js"]
