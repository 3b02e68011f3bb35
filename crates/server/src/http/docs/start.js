// Shows the document of this server. A deferred script: the bundle before it has run.

window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  // Else it asks a service of others whether the document is valid.
  validatorUrl: null,
});
