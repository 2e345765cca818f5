{% autoescape off %}(function (page, told) {
  "use strict";
  if (page.Sentry && page.Sentry.getClient) return; // a whole SDK is here already
  var options = {}, scope = { tags: {}, user: null, crumbs: [] }, waiting = [], callbacks = [], real = null;
  var MOST = 20, CRUMBS = 30, sent = 0, last = "", silentUntil = 0;

  function id() {
    var bytes = crypto.getRandomValues(new Uint8Array(16)), text = "";
    for (var i = 0; i < 16; i++) text += (bytes[i] + 256).toString(16).slice(1);
    return text;
  }

  // "at f (https://a/b.js:1:2)" of Chromium, "f@https://a/b.js:1:2" of Firefox and Safari; the innermost first.
  function frames(stack) {
    var found = [];
    String(stack || "").split("\n").slice(0, 60).forEach(function (line) {
      var parts = /^\s*at (?:(.+?) \()?(?:async )?(\S+?):(\d+):(\d+)\)?\s*$/.exec(line) || /^\s*(.*?)@(\S+?):(\d+)(?::(\d+))?\s*$/.exec(line);
      if (parts) found.push({ function: parts[1] || "?", filename: parts[2], abs_path: parts[2], lineno: +parts[3], colno: parts[4] ? +parts[4] : undefined, in_app: true });
    });
    return found.reverse();
  }

  function thrown(error, mechanism) {
    var isError = error instanceof Error;
    var value = { type: isError ? error.name : "Error", value: String(isError ? error.message : error).slice(0, 8192), mechanism: mechanism };
    var trace = isError ? frames(error.stack) : [];
    if (trace.length) value.stacktrace = { frames: trace };
    var chain = [value];
    for (var cause = isError && error.cause, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
      chain.unshift({ type: cause.name, value: String(cause.message).slice(0, 8192), stacktrace: { frames: frames(cause.stack) } });
    }
    return { values: chain };
  }

  function send(event) {
    var mark = JSON.stringify([event.exception || event.message]);
    if (mark === last || sent >= MOST || Date.now() < silentUntil || (options.enabled === false)) return event.event_id;
    last = mark;
    sent++;
    if (options.beforeSend && !(event = options.beforeSend(event, {}))) return "";
    var header = { event_id: event.event_id, dsn: told.dsn, sent_at: new Date().toISOString(), sdk: event.sdk };
    var body = JSON.stringify(header) + '\n{"type":"event"}\n' + JSON.stringify(event);
    fetch(told.envelopes + "?sentry_version=7&sentry_key=" + told.key, { method: "POST", body: body, keepalive: body.length < 60000, credentials: "omit", referrerPolicy: "strict-origin-when-cross-origin" }).then(
      function (answer) {
        if (answer.status === 429) silentUntil = Date.now() + 1000 * (+answer.headers.get("Retry-After") || 60);
      },
      function () {}
    );
    return event.event_id;
  }

  function event(changes) {
    var made = {
      event_id: id(), timestamp: Date.now() / 1000, platform: "javascript", level: "error",
      sdk: { name: "tocsin.javascript.loader", version: "1" },
      request: { url: location.href, headers: { "User-Agent": navigator.userAgent, Referer: document.referrer } },
      tags: Object.assign({}, scope.tags), breadcrumbs: { values: scope.crumbs.slice() }
    };
    ["release", "environment", "dist"].forEach(function (name) {
      if (options[name]) made[name] = options[name];
    });
    if (scope.user) made.user = scope.user;
    return Object.assign(made, changes);
  }

  function capture(error, mechanism) {
    if (real) return real.captureException(error);
    if (told.bundle) {
      waiting.push(error);
      load();
      return "";
    }
    return send(event({ exception: thrown(error, mechanism) }));
  }

  function load() {
    if (!told.bundle || load.began) return;
    load.began = true;
    var shim = page.Sentry, script = document.createElement("script");
    script.src = told.bundle;
    script.crossOrigin = "anonymous";
    script.onload = function () {
      if (!page.Sentry || page.Sentry === shim) return fall();
      real = page.Sentry;
      real.init(Object.assign({ dsn: told.dsn }, options));
      waiting.splice(0).forEach(function (error) { real.captureException(error); });
      callbacks.splice(0).forEach(function (callback) { callback(); });
    };
    script.onerror = fall;
    document.head.appendChild(script);
  }

  // The bundle did not come: what waited for it is sent by this script.
  function fall() {
    told.bundle = "";
    waiting.splice(0).forEach(function (error) { capture(error, { type: "generic", handled: true }); });
  }

  page.Sentry = {
    SDK_NAME: "tocsin.javascript.loader",
    init: function (given) { Object.assign(options, given); if (real) real.init(Object.assign({ dsn: told.dsn }, options)); },
    onLoad: function (callback) { callbacks.push(callback); if (told.bundle) load(); else setTimeout(callback); },
    forceLoad: load,
    captureException: function (error) { return capture(error, { type: "generic", handled: true }); },
    captureMessage: function (text, level) { return real ? real.captureMessage(text, level) : send(event({ message: String(text), level: level || "info" })); },
    setUser: function (user) { scope.user = user; },
    setTag: function (name, value) { scope.tags[name] = String(value); },
    addBreadcrumb: function (crumb) {
      scope.crumbs.push(Object.assign({ timestamp: Date.now() / 1000 }, crumb));
      if (scope.crumbs.length > CRUMBS) scope.crumbs.shift();
    }
  };
  page.addEventListener("error", function (happened) {
    // An error of an element that did not load has neither.
    if (!real && (happened.error || happened.message)) capture(happened.error || happened.message, { type: "onerror", handled: false });
  });
  page.addEventListener("unhandledrejection", function (happened) {
    if (!real) capture(happened.reason, { type: "onunhandledrejection", handled: false });
  });
  if (typeof page.sentryOnLoad === "function") page.sentryOnLoad();
})(window, {{ told }});{% endautoescape %}
