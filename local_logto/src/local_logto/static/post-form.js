// Sends the page's one form as soon as it stands; its button does the same by hand.
document.forms[0].submit();
