// Starts Swagger UI on /api/docs. It asks nobody but us: no validator elsewhere, nothing kept in storage.
"use strict";

(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();

  // The session's cookie is the browser's business: there is nothing to type in.
  const withoutCookieField = {
    wrapComponents: {
      apiKeyAuth: (Original, { React }) => (props) => props.schema.get("in") !== "cookie"
        ? React.createElement(Original, props)
        : React.createElement("div", { className: "browser-session" },
          React.createElement("h4", null, `${props.name} (browser)`),
          React.createElement("p", null, "Nothing to enter: when you are signed in to Workroom in this browser, "
            + "requests without a token are sent as you.")),
    },
  };

  const root = document.getElementById("swagger-ui");
  SwaggerUIBundle({
    domNode: root,
    url: root.dataset.schema,
    plugins: [withoutCookieField],
    deepLinking: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    validatorUrl: null,
  });
})();
