// A page's script; a bundler puts one of the SDKs beside it as `sdk`. The page's address says the rest.
import * as Sentry from "sdk";

const asked = new URLSearchParams(location.search);
window.Sentry = Sentry;
Sentry.init({
  dsn: asked.get("dsn"),
  release: "page@" + asked.get("release"),
  environment: "staging",
  transportOptions: asked.get("preflight") ? { headers: { "X-Requested-With": "shop" } } : undefined,
});
