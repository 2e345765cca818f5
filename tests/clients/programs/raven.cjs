// Node's client before @sentry/node.
const Raven = require("raven");

Raven.config(process.env.SENTRY_DSN, { release: "shop@2015", tags: { till: "south" } }).install();
Raven.captureException(new RangeError("raven has 0 left"), { user: { id: 7 } }, (error, id) => {
  if (error) throw error;
  console.log(id);
});
