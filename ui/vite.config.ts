import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` talks to a running collector; NARROWS_URL names it.
const collector = process.env.NARROWS_URL ?? "http://127.0.0.1:7070";

export default defineConfig({
  plugins: [react()],
  server: {
    proxy: {
      "/api": { target: collector, changeOrigin: true },
      "/alertmanager/api": { target: collector, changeOrigin: true },
    },
  },
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // scripts/compress.mjs measures and enforces the budget.
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
});
