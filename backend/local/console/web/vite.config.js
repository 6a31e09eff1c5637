import { defineConfig } from "vite";

// The names are stable, because the built files are committed.
export default defineConfig({
  base: "/console/assets/",
  build: {
    target: "es2023",
    modulePreload: false,
    cssCodeSplit: false,
    assetsDir: "",
    license: { fileName: "LICENSES.txt" },
    rollupOptions: {
      output: {
        entryFileNames: "console.js",
        chunkFileNames: "[name].js",
        assetFileNames: "console[extname]",
      },
    },
  },
});
