import { expect, test } from "vitest";
import { limiter } from "./limit";

function task() {
  let finish = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { finish, done };
}

test("so many run at once, and the others follow in their order", async () => {
  const limit = limiter(2);
  const tasks = [task(), task(), task(), task()];
  const started: number[] = [];
  const all = tasks.map(({ done }, at) =>
    limit(() => {
      started.push(at);
      return done;
    }),
  );
  await Promise.resolve();
  await Promise.resolve();
  expect(started).toEqual([0, 1]);
  tasks[1]?.finish();
  await all[1];
  await Promise.resolve();
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  for (const { finish } of tasks) finish();
  await Promise.all(all);
  expect(started).toEqual([0, 1, 2, 3]);
});

test("what nobody waits for any more never starts, and what fails makes room", async () => {
  const limit = limiter(1);
  const first = task();
  const one = limit(() => first.done);
  const gone = new AbortController();
  const two = limit(() => Promise.reject(new Error("never started")), gone.signal);
  const three = limit(() => Promise.resolve("third"));
  gone.abort();
  await expect(two).rejects.toThrow("nobody waits");
  first.finish();
  await one;
  expect(await three).toBe("third");
  await expect(limit(() => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  expect(await limit(() => Promise.resolve("after"))).toBe("after");
});
