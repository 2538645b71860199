// The node's HTTP API (see serving/openapi.yaml), metrics, health, and the built-in page.
#pragma once

#include "cameras/node/node.h"
#include "serving/http_server.h"

namespace sightline::serving {

// GET /healthz /readyz /metrics /openapi.yaml /  (the page and its files)
// GET|POST /api/v1/cameras, GET|PUT|DELETE /api/v1/cameras/{name}, POST .../{name}/pause|resume, POST
// /api/v1/cameras:test, GET .../{name}/picture.jpg (overlay=0|1), GET .../{name}/live.mjpeg,
// PUT .../{name}/topics/{topic}, GET /api/v1/events, GET /api/v1/events/stream (server-sent events),
// GET /api/v1/events/{id}, .../snapshot, .../clip, GET /api/v1/status, GET /api/v1/sinks.
// `node` outlives the server. Off loopback pictures are redacted as the camera's evidence is.
void AddNodeRoutes(cameras::Node* node, Server* server);

}  // namespace sightline::serving
