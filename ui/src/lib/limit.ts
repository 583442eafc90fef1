// At most so many at once; the others wait in the order that they came in.
export type Limiter = <T>(run: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

export function limiter(limit: number): Limiter {
  let running = 0;
  const waiting: (() => void)[] = [];

  const turn = (signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const start = () => {
        running += 1;
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(start), 1);
        reject(new DOMException("nobody waits for it any more", "AbortError"));
      };
      if (signal?.aborted) reject(new DOMException("nobody waits for it any more", "AbortError"));
      else if (running < limit) start();
      else {
        waiting.push(start);
        signal?.addEventListener("abort", leave, { once: true });
      }
    });

  return async (run, signal) => {
    await turn(signal);
    try {
      return await run();
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}
