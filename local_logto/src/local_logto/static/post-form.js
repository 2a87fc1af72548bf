// Submits the page's only form at once. Without scripts, its button does.
document.forms[0].submit();
