mod objects;
mod planted;
