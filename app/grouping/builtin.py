"""The rules that come with a configuration, before those of a project. Of a released one they never change.

Whose code a frame is, where the client does not say, is decided by app.normalize.in_app. A client that does
say knows best, but for JavaScript in browsers, where all that a page loads is called the page's own, and for
directories whose very name says that somebody else wrote what lies in them.
"""

from __future__ import annotations

_STACK_2026_12 = r"""
# -- Whose code it is -------------------------------------------------------------------------------------
path:**/vendor/** -app
path:**/site-packages/** -app
path:**/dist-packages/** -app
path:**/node_modules/** -app
path:**/bower_components/** -app
path:**/pkg/mod/** -app
path:**/.cargo/registry/** -app
path:/rustc/** -app
path:**/.pub-cache/** -app
family:javascript path:node:** -app
family:javascript path:internal/** -app
family:javascript path:*-extension://** -app
family:javascript path:http*://cdn.jsdelivr.net/** -app
family:javascript path:http*://unpkg.com/** -app
family:javascript path:http*://esm.sh/** -app
family:javascript path:http*://cdnjs.cloudflare.com/** -app
family:javascript path:http*://code.jquery.com/** -app
family:javascript path:http*://ajax.googleapis.com/** -app
family:javascript path:http*://ajax.aspnetcdn.com/** -app
family:javascript path:http*://www.googletagmanager.com/** -app
family:javascript path:http*://www.google-analytics.com/** -app
family:javascript path:http*://maps.googleapis.com/** -app
family:javascript path:http*://connect.facebook.net/** -app
family:javascript path:http*://js.stripe.com/** -app
family:javascript path:http*://*.hotjar.com/** -app
family:javascript path:http*://*.intercomcdn.com/** -app
family:native package:/usr/lib/** -app
family:native package:/lib/** -app
family:native package:/lib64/** -app
family:native package:/usr/local/lib/** -app
family:native package:/System/Library/** -app
family:native package:/Library/Developer/** -app
family:native package:?:/Windows/** -app
family:native package:**/*.app/** +app
family:native package:**/*.app/**/libswift* -app
family:native function:std::* -app
family:native function:core::* -app
family:native function:alloc::* -app

# -- Error trackers and telemetry, which only stand around what fails ---------------------------------------
path:**/sentry_sdk/** -app -group
path:**/raven/** -app -group
path:**/opentelemetry/** -app -group
path:**/newrelic/** -app -group
path:**/ddtrace/** -app -group
path:**/elasticapm/** -app -group
path:**/node_modules/@sentry/** -app -group
path:**/node_modules/@sentry-internal/** -app -group
path:**/node_modules/@opentelemetry/** -app -group
path:**/node_modules/newrelic/** -app -group
path:**/node_modules/dd-trace/** -app -group
path:**/node_modules/elastic-apm-node/** -app -group
path:**/vendor/sentry/** -app -group
path:**/sentry-ruby-*/** -app -group
path:**/sentry-rails-*/** -app -group
module:io.sentry.* -app -group
module:io.opentelemetry.* -app -group
module:Sentry.* -app -group
module:github.com/getsentry/sentry-go* -app -group
family:native function:sentry_* -app -group
family:native function:sentry::* -app -group
family:native package:**/Sentry.framework/** -app -group
family:native function:google_breakpad::* -app -group
family:native function:crashpad::* -app -group

# -- What compilers and engines put in between --------------------------------------------------------------
family:javascript path:**/node_modules/@babel/** -app -group
family:javascript path:**/node_modules/babel-runtime/** -app -group
family:javascript path:**/node_modules/core-js/** -app -group
family:javascript path:**/node_modules/core-js-pure/** -app -group
family:javascript path:**/node_modules/regenerator-runtime/** -app -group
family:javascript path:**/node_modules/tslib/** -app -group
family:javascript path:**/node_modules/@swc/helpers/** -app -group
family:javascript path:**/node_modules/zone.js/** -app -group
family:javascript function:asyncGeneratorStep -group
family:javascript function:_asyncToGenerator -group
family:javascript function:_next -group
family:javascript function:__awaiter -group
family:javascript function:__generator -group
family:javascript function:fulfilled -group
family:javascript function:rejected -group
family:javascript function:tryCatch -group
family:javascript function:processTicksAndRejections category=internals -app -group
family:javascript function:process.processTicksAndRejections category=internals -app -group
family:javascript function:runMicrotasks category=internals -app -group
family:javascript function:process._tickCallback category=internals -app -group
family:javascript path:node:internal/process/** category=internals -group
family:javascript path:node:internal/timers category=internals -group
family:javascript path:internal/process/** category=internals -group
module:java.lang.reflect.* category=indirection -group
module:jdk.internal.reflect.* category=indirection -group
module:sun.reflect.* category=indirection -group
module:java.lang.invoke.* category=indirection -group
family:native function:objc_msgSend category=indirection -group
family:native function:_objc_msgSend* category=indirection -group

# -- Where a thread begins ----------------------------------------------------------------------------------
family:native function:_start category=threadbase -group v-group
family:native function:__libc_start_main* category=threadbase -group v-group
family:native function:__libc_start_call_main category=threadbase -group v-group
family:native function:start_thread category=threadbase -group v-group
family:native function:clone category=threadbase -group v-group
family:native function:clone3 category=threadbase -group v-group
family:native function:thread_start category=threadbase -group v-group
family:native function:_pthread_start category=threadbase -group v-group
family:native function:_pthread_body category=threadbase -group v-group
family:native function:_dispatch_worker_thread* category=threadbase -group v-group
family:native function:BaseThreadInitThunk category=threadbase -group v-group
family:native function:RtlUserThreadStart category=threadbase -group v-group
family:native function:std::rt::lang_start* category=threadbase -group v-group
family:native function:std::sys::*::thread_start category=threadbase -group v-group

# -- What happens once something failed: not why it did -----------------------------------------------------
family:native function:__restore_rt category=handler ^-group -group
family:native function:_sigtramp category=handler ^-group -group
family:native function:KiUserExceptionDispatcher category=handler ^-group -group
family:native function:__cxa_throw category=throw ^-group -group
family:native function:__cxa_rethrow category=throw ^-group -group
family:native function:_CxxThrowException category=throw ^-group -group
family:native function:objc_exception_throw category=throw ^-group -group
family:native function:objc_exception_rethrow category=throw ^-group -group
family:native function:"+[[]NSException raise:*" category=throw ^-group -group
family:native function:"-[[]NSException raise]" category=throw ^-group -group
family:native function:std::terminate category=throw ^-group -group
family:native function:__assert_fail* category=throw ^-group -group
family:native function:__assert_rtn category=throw ^-group -group
family:native function:_assert category=throw ^-group -group
family:native function:abort category=throw ^-group -group
family:native function:rust_begin_unwind category=throw ^-group -group
family:native function:rust_panic* category=throw ^-group -group
family:native function:std::panicking::* category=throw ^-group -group
family:native function:core::panicking::* category=throw ^-group -group
family:native function:core::option::unwrap_failed category=throw ^-group -group
family:native function:core::option::expect_failed category=throw ^-group -group
family:native function:core::result::unwrap_failed category=throw ^-group -group
family:native function:swift_unexpectedError category=throw ^-group -group
family:native function:_swift_runtime_on_report category=throw ^-group -group
"""

_PRINTS_2026_12 = r"""
# A new release is out, and old pages ask for what is no longer there: one issue, whatever is missing.
family:javascript type:ChunkLoadError -> chunkloaderror
family:javascript value:"Loading chunk * failed*" -> chunkloaderror
family:javascript value:"Loading CSS chunk * failed*" -> chunkloaderror
family:javascript value:"Failed to fetch dynamically imported module*" -> chunkloaderror
family:javascript value:"error loading dynamically imported module*" -> chunkloaderror
family:javascript value:"Importing a module script failed*" -> chunkloaderror
# What the server rendered is not what the browser did: one issue for each of the framework's complaints.
family:javascript value:"*Hydration failed because*" -> hydrationerror, mismatch
family:javascript value:"*There was an error while hydrating*" -> hydrationerror, error
family:javascript value:"*Text content does not match server-rendered HTML*" -> hydrationerror, text
family:javascript value:"*Minified React error #418*" -> hydrationerror, mismatch
family:javascript value:"*Minified React error #422*" -> hydrationerror, error
family:javascript value:"*Minified React error #423*" -> hydrationerror, error
family:javascript value:"*Minified React error #425*" -> hydrationerror, text
"""

#: By the name of a configuration: rules about stack traces, and fingerprints.
RULES: dict[str, tuple[str, str]] = {"2026-11": ("", ""), "2026-12": (_STACK_2026_12, _PRINTS_2026_12)}
