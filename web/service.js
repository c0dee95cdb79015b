// What the page was told of the service: {path, max_bytes, needs_key, docs, formats}.

export const SERVICE = JSON.parse(document.body.dataset.service);
