// Submits the page's only form at once. Without scripts, people use its button.
document.forms[0].submit();
