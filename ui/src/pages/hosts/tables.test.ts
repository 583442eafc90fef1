import { expect, test } from "vitest";
import { fileSystemRows, processRows } from "./tables";

const one = (value: number, labels: Record<string, string>) => ({
  labels,
  times: [0],
  values: [value],
  histograms: false,
});

test("file systems: the fullest first, those without a size left out", () => {
  const root = { system_filesystem_mountpoint: "/", system_device: "sda1" };
  const data = { system_device: "sdb", system_filesystem_mountpoint: "/data" };
  const odd = { system_filesystem_mountpoint: "/proc" };
  expect(
    fileSystemRows([one(20, root), one(90, data), one(0, odd)], [one(100, data), one(80, root), one(0, odd)]),
  ).toMatchObject([
    { mount: "/data", share: 0.9 },
    { mount: "/", used: 20, size: 80, share: 0.25 },
  ]);
});

test("processes: by CPU, with their memory where it is known", () => {
  const db = { process_executable_name: "postgres", process_pid: "7" };
  expect(processRows([one(0.1, { process_pid: "1" }), one(2.5, db)], [one(1024, db)])).toEqual([
    { name: "postgres", pid: "7", cpu: 2.5, memory: 1024 },
    { name: "unknown", pid: "1", cpu: 0.1, memory: null },
  ]);
});
