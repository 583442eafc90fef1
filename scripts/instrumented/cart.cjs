// The cart service: a counter per cart in Redis. Nothing here knows of tracing: the Node SDK's
// register hook, given on the command line, instruments it.
const http = require("node:http");
const Redis = require("ioredis");

const redis = new Redis(Number(process.env.CART_REDIS_PORT), "127.0.0.1");

const server = http.createServer(async (request, response) => {
  const [, what, id] = request.url.split("/");
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (what !== "cart") return answer(200, {});
  if (id === "13") return answer(500, { error: "cart 13 is broken" });
  answer(200, { items: await redis.incr(`cart:${id}`) });
});
server.listen(Number(process.env.CART_PORT), "127.0.0.1");
// The register hook listens for SIGTERM too, to send what it still has; with a listener there a process goes on.
process.once("SIGTERM", () => {
  redis.disconnect();
  server.close();
  server.closeIdleConnections();
});
