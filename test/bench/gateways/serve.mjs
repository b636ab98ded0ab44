/**
 * Listens on a free port, tells the parent which, and reports CPU and memory when asked.
 * Gateways are plain JavaScript: a TypeScript loader would wrap the functions that are measured.
 *
 * @param {import('node:http').Server} server
 */
export function serve(server) {
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', 4096, () => process.send({ port: server.address().port }));

  process.on('message', (message) => {
    if (message === 'collect') {
      globalThis.gc();
      globalThis.gc();
    }
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    process.send({ cpuMicros: user + system, rssBytes: rss, heapBytes: heapUsed });
  });
  process.on('disconnect', () => process.exit());
}
