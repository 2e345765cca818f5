// An application on Node: SDK names the package, SENTRY_DSN where it reports to. `job` says what happens.
const Sentry = require(process.env.SDK);

const known = {
  dsn: process.env.SENTRY_DSN,
  release: "shop@" + process.env.RELEASE,
  environment: "staging",
  tracesSampleRate: 1,
  enableLogs: true,
  _experiments: { enableLogs: true },
};

function charge(order) {
  if (!order.gross) throw new TypeError("order " + order.id + " has no price");
}

const jobs = {
  error() {
    const scope = Sentry.getCurrentScope();
    scope.setUser({ id: 7, email: "grace@example.com" });
    scope.setTag("till", "north");
    Sentry.addBreadcrumb({ category: "till", message: "drawer opened" });
    try {
      charge({ id: 3 });
    } catch (cause) {
      Sentry.captureException(new Error("checkout failed in " + process.env.SDK, { cause }));
    }
  },
  message() {
    Sentry.captureMessage("the shelf is empty in " + process.env.SDK, "warning");
  },
  attachment() {
    Sentry.captureException(new Error("with a file in " + process.env.SDK), (scope) => {
      scope.addAttachment({ filename: "stock.csv", data: "article,amount\nteapot,0\n", contentType: "text/csv" });
      return scope;
    });
  },
  async others() {
    await Sentry.startSpan({ name: "GET /checkout", op: "http.server" }, () =>
      Sentry.startSpan({ name: "SELECT price", op: "db" }, () => 1),
    );
    Sentry.captureCheckIn(
      { monitorSlug: "nightly", status: "ok", duration: 2 },
      { schedule: { type: "crontab", value: "15 2 * * *" }, timezone: "Europe/Oslo" },
    );
    if (Sentry.captureFeedback) Sentry.captureFeedback({ message: "I cannot pay", email: "grace@example.com" });
    if (Sentry.logger) Sentry.logger.warn("drawer left open", { till: "north" });
  },
};

(async () => {
  Sentry.init(known);
  for (const job of process.argv.slice(2)) await jobs[job]();
  if (!(await Sentry.close(10000))) process.exit(3);
})();
